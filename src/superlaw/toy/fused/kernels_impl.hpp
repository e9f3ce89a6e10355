// The kernels of one training step, compiled once for each instruction set.
//
// Per tile J of columns (packed order), with rows U:
//   gram        G_UJ = W_U W_J^T
//   samples     z_J = b_J + sum_k v_k G_{i_k J},  y = relu(z),  e = (y - x) [z > 0]
//               D_{i_k J} += v_k e,  db_J += e,  loss += ||y - x||^2
//               (samples with one active feature never leave the registers; the others keep y in Y)
//   backward    dW_J += D_UJ^T W_U,  dW_U += D_UJ W_J
// The samples are first taken as if x were 0 in the tile; the few entries where a sample's own
// active features lie in the tile are corrected afterwards (subtract_*_inputs).
#include "kernels.hpp"
#include "random.hpp"
#include "vector.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

constexpr int kGramRows = kAccumulators / kVectors;

// One call a tile: kept out of line, so that a profile names them.
#define SUPERLAW_STAGE __attribute__((noinline))

// ---- products ---------------------------------------------------------------------------

// G (R x tile) = W rows (R x m, stride) times Wt (m x tile).
template <int R>
inline void gram_block(const float* W, int stride, const float* Wt, int m, float* G) {
  Vec acc[R][kVectors] = {};
  for (int k = 0; k < m; ++k) {
    Vec column[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) column[v] = load(Wt + k * kTile + v * kLanes);
    SUPERLAW_UNROLL
    for (int r = 0; r < R; ++r) {
      const float w = W[r * stride + k];
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) acc[r][v] += w * column[v];
    }
  }
  SUPERLAW_UNROLL
  for (int r = 0; r < R; ++r)
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) store(G + r * kTile + v * kLanes, acc[r][v]);
}

// grad_Wt (R x tile) += W^T (R columns of W) D (tile x tile).
template <int R>
inline void column_block(const float* W, int stride, const float* D, float* grad_Wt) {
  Vec acc[R][kVectors];
  SUPERLAW_UNROLL
  for (int r = 0; r < R; ++r)
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) acc[r][v] = load(grad_Wt + r * kTile + v * kLanes);
  for (int i = 0; i < kTile; ++i) {
    Vec d[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) d[v] = load(D + i * kTile + v * kLanes);
    SUPERLAW_UNROLL
    for (int r = 0; r < R; ++r) {
      const float w = W[i * stride + r];
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) acc[r][v] += w * d[v];
    }
  }
  SUPERLAW_UNROLL
  for (int r = 0; r < R; ++r)
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) store(grad_Wt + r * kTile + v * kLanes, acc[r][v]);
}

template <int R>
inline void column_remainder(int left, const float* W, int stride, const float* D, float* grad_Wt) {
  if constexpr (R > 0) {
    if (left == R) return column_block<R>(W, stride, D, grad_Wt);
    column_remainder<R - 1>(left, W, stride, D, grad_Wt);
  }
}

// grad_Wt (m x tile) += W^T D over the rows of D (tile x tile).
SUPERLAW_STAGE void column_product(const float* W, int stride, int m, const float* D, float* grad_Wt) {
  int k = 0;
  for (; k + kGramRows <= m; k += kGramRows) column_block<kGramRows>(W + k, stride, D, grad_Wt + k * kTile);
  column_remainder<kGramRows - 1>(m - k, W + k, stride, D, grad_Wt + k * kTile);
}

// grad (R x KV vectors) += D (R x tile) W_J (tile x KV vectors).
template <int R, int KV>
inline void row_block(const float* D, const float* W, int stride, float* grad) {
  Vec acc[R][KV];
  SUPERLAW_UNROLL
  for (int r = 0; r < R; ++r)
    SUPERLAW_UNROLL
    for (int v = 0; v < KV; ++v) acc[r][v] = load(grad + r * stride + v * kLanes);
  for (int j = 0; j < kTile; ++j) {
    Vec w[KV];
    SUPERLAW_UNROLL
    for (int v = 0; v < KV; ++v) w[v] = load(W + j * stride + v * kLanes);
    SUPERLAW_UNROLL
    for (int r = 0; r < R; ++r) {
      const float d = D[r * kTile + j];
      SUPERLAW_UNROLL
      for (int v = 0; v < KV; ++v) acc[r][v] += d * w[v];
    }
  }
  SUPERLAW_UNROLL
  for (int r = 0; r < R; ++r)
    SUPERLAW_UNROLL
    for (int v = 0; v < KV; ++v) store(grad + r * stride + v * kLanes, acc[r][v]);
}

template <int KV>
inline void row_panel(const float* D, const float* W, int stride, float* grad) {
  constexpr int R = kLanes == 16 ? (KV == 1 ? 16 : KV < 4 ? 8 : 4) : (KV == 1 ? 8 : KV == 2 ? 4 : 2);
  static_assert(kTile % R == 0);
  for (int i = 0; i < kTile; i += R) row_block<R, KV>(D + i * kTile, W, stride, grad + i * stride);
}

// grad_U (tile x stride) += D (tile x tile) W_J.
SUPERLAW_STAGE void row_product(const float* D, const float* W, int stride, int m, float* grad_U) {
  int vectors = (m + kLanes - 1) / kLanes;
  while (vectors > 0) {
    const int take = vectors > 4 ? (vectors == 5 ? 3 : 4) : vectors;
    switch (take) {
      case 1: row_panel<1>(D, W, stride, grad_U); break;
      case 2: row_panel<2>(D, W, stride, grad_U); break;
      case 3: row_panel<3>(D, W, stride, grad_U); break;
      default: row_panel<4>(D, W, stride, grad_U); break;
    }
    vectors -= take;
    W += take * kLanes;
    grad_U += take * kLanes;
  }
}

// ---- samples ----------------------------------------------------------------------------

struct TileSums {
  Vec b[kVectors], grad_b[kVectors], loss[kVectors];
};

// Rows first..last of G.
SUPERLAW_STAGE void gram(const Model& model, const float* Wt, int first, int last, float* G) {
  for (int u = first / kGramRows * kGramRows; u < last; u += kGramRows)
    gram_block<kGramRows>(model.packed_W + int64_t(u) * model.stride, model.stride, Wt, model.m, G + u * kTile);
}

template <int C>  // exactly C active features; 0: any number
inline void multi_sample(const float* G, const int* rows, const float* values, int count, float* Y, TileSums& sums) {
  const int active = C > 0 ? C : count;
  Vec y[kVectors];
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) y[v] = sums.b[v];
  for (int k = 0; k < active; ++k) {
    const float* g = G + rows[k] * kTile;
    const float x = values[k];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) y[v] += x * load(g + v * kLanes);
  }
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    y[v] = relu(y[v]);
    sums.grad_b[v] += y[v];
    sums.loss[v] += y[v] * y[v];
    store(Y + v * kLanes, y[v]);
  }
}

// Y = relu(z) of the multi samples.
SUPERLAW_STAGE void multi_samples(const Batch& batch, const float* G, float* Y, TileSums& totals) {
  TileSums sums = totals;  // a copy, so that it stays in registers
  int s = 0;
  const int* starts = batch.multi_start;
  const auto run = [&](auto kernel, int limit) {
    for (; s < batch.n_multi && starts[s + 1] - starts[s] <= limit; ++s)
      kernel(G, batch.multi_row + starts[s], batch.multi_value + starts[s], starts[s + 1] - starts[s], Y + s * kTile, sums);
  };
  run([](auto&&... args) { multi_sample<2>(args...); }, 2);
  run([](auto&&... args) { multi_sample<3>(args...); }, 3);
  run([](auto&&... args) { multi_sample<4>(args...); }, 4);
  run([](auto&&... args) { multi_sample<0>(args...); }, batch.multi_start[batch.n_multi]);
  totals = sums;
}

// Rows first.. of D (tile x tile): D_u = sum of v e over the samples where feature u is active.
SUPERLAW_STAGE void rows_of_D(const Batch& batch, int first, const float* G, const float* Y, float* D,
                              TileSums& totals) {
  TileSums sums = totals;
  const int last = first + kTile < batch.n_unique ? first + kTile : batch.n_unique;
  for (int u = first; u < last; ++u) {
    Vec g[kVectors], d[kVectors] = {};
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) g[v] = load(G + u * kTile + v * kLanes);
    for (int s = batch.single_start[u]; s < batch.single_start[u + 1]; ++s) {
      const float x = batch.single_value[s];
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Vec y = relu(sums.b[v] + x * g[v]);
        d[v] += x * y;
        sums.grad_b[v] += y;
        sums.loss[v] += y * y;
      }
    }
    for (int e = batch.entry_start[u]; e < batch.entry_start[u + 1]; ++e) {
      const float x = batch.entry_value[e];
      const float* y = Y + batch.entry_sample[e] * kTile;
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) d[v] += x * load(y + v * kLanes);
    }
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) store(D + (u - first) * kTile + v * kLanes, d[v]);
  }
  for (int r = last; r < first + kTile; ++r)
    for (int v = 0; v < kVectors; ++v) store(D + (r - first) * kTile + v * kLanes, Vec{});
  totals = sums;
}

// (y - x)^2 = y^2 - 2 x y + x^2 at the entries of the tile where x is not 0, multi samples: into
// Y, before D is formed from it.
double subtract_multi_inputs(const Batch& batch, int first, int last, float* Y, float* grad_b) {
  double loss = 0;
  for (int u = first; u < last; ++u)
    for (int e = batch.entry_start[u]; e < batch.entry_start[u + 1]; ++e) {
      const float x = batch.entry_value[e];
      float& y = Y[batch.entry_sample[e] * kTile + u - first];
      const float active = y > 0 ? x : 0;
      loss += x * x - 2 * active * y;
      y -= active;
      grad_b[u - first] -= active;
    }
  return loss;
}

// The same for samples with one active feature: into D.
double subtract_single_inputs(const Batch& batch, const float* b, int first, int last, const float* G, float* D,
                              float* grad_b) {
  double loss = 0;
  for (int u = first; u < last; ++u) {
    const int j = u - first;
    const float g = G[u * kTile + j];
    float sum_active = 0, sum_squares = 0, sum_loss = 0;
    for (int s = batch.single_start[u]; s < batch.single_start[u + 1]; ++s) {
      const float x = batch.single_value[s], z = b[j] + x * g;
      const float active = z > 0 ? x : 0;
      sum_active += active;
      sum_squares += active * x;
      sum_loss += x * x - 2 * active * z;
    }
    grad_b[j] -= sum_active;
    D[j * kTile + j] -= sum_squares;
    loss += sum_loss;
  }
  return loss;
}

// ---- symmetric blocks -------------------------------------------------------------------

// to (tile x tile) = from^T.
SUPERLAW_STAGE void transpose_tile(const float* from, float* to) {
  for (int i = 0; i < kTile; i += kLanes)
    for (int j = 0; j < kTile; j += kLanes) {
      Vec block[kLanes];
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) block[l] = load(from + (i + l) * kTile + j);
      transpose(block);
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) store(to + (j + l) * kTile + i, block[l]);
    }
}

// S = A + B^T and St = S^T, all (tile x tile).
SUPERLAW_STAGE void symmetric_sum(const float* A, const float* B, float* S, float* St) {
  for (int i = 0; i < kTile; i += kLanes)
    for (int j = 0; j < kTile; j += kLanes) {
      Vec block[kLanes];
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) block[l] = load(B + (j + l) * kTile + i);
      transpose(block);
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) {
        block[l] += load(A + (i + l) * kTile + j);
        store(S + (i + l) * kTile + j, block[l]);
      }
      transpose(block);
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) store(St + (j + l) * kTile + i, block[l]);
    }
}

// ---- the step ---------------------------------------------------------------------------

SUPERLAW_STAGE void pack(Model& model, int first_tile, int last_tile) {
  for (int u = first_tile * kTile; u < last_tile * kTile && u < model.n; ++u) {
    const float* from = model.W + int64_t(model.order[u]) * model.stride;
    float* to = model.packed_W + int64_t(u) * model.stride;
    for (int k = 0; k < model.stride; k += kLanes) store(to + k, load(from + k));
    model.packed_b[u] = model.b[model.order[u]];
  }
}

// Wt (m x tile) from rows (tile x stride).
SUPERLAW_STAGE void transpose_rows(const float* rows, int stride, int m, float* Wt) {
  for (int k = 0; k < m; k += kLanes)
    for (int j = 0; j < kTile; j += kLanes) {
      Vec block[kLanes];
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) block[l] = load(rows + int64_t(j + l) * stride + k);
      transpose(block);
      const int used = m - k < kLanes ? m - k : kLanes;
      for (int l = 0; l < used; ++l) store(Wt + (k + l) * kTile + j, block[l]);
    }
}

void tile_gradient(const Model& model, const Batch& batch, Symmetry symmetry, int tile, Scratch& scratch) {
  const int n_unique = batch.n_unique, stride = model.stride, m = model.m, first = tile * kTile;
  const int blocks = (n_unique + kTile - 1) / kTile;          // of rows of G
  const int64_t square = kTile * kTile, kept = blocks * square;  // floats of a block, of a tile of G
  const bool unique = tile < blocks;
  const bool mirrored = symmetry.gram && unique, summed = symmetry.gradient && unique;
  float* G = scratch.G + (mirrored ? tile * kept : 0);
  const float* W_J = model.packed_W + int64_t(first) * stride;
  const float* b = model.packed_b + first;
  float* grad_Wt = model.grad_Wt + int64_t(tile) * m * kTile;

  transpose_rows(W_J, stride, m, scratch.Wt);
  if (mirrored)  // rows before this tile's own come from tiles already done
    for (int I = 0; I < tile; ++I) transpose_tile(scratch.G + I * kept + tile * square, G + I * square);
  // Mirrored, rows past U are needed too: the last tile of U has columns past U.
  gram(model, scratch.Wt, mirrored ? first : 0, mirrored ? blocks * kTile : n_unique, G);

  TileSums sums = {};
  for (int v = 0; v < kVectors; ++v) sums.b[v] = load(b + v * kLanes);
  float* input_grad_b = scratch.input_grad_b;
  for (int j = 0; j < kTile; ++j) input_grad_b[j] = 0;
  const int last = first + kTile < n_unique ? first + kTile : n_unique;
  multi_samples(batch, G, scratch.Y, sums);
  scratch.loss += subtract_multi_inputs(batch, first, last, scratch.Y, input_grad_b);

  for (int64_t i = 0; i < int64_t(m) * kTile; i += kLanes) store(grad_Wt + i, Vec{});
  for (int I = 0; I < blocks; ++I) {
    float* D = scratch.D + (summed ? tile * kept + I * square : 0);
    const float* W_I = model.packed_W + int64_t(I) * kTile * stride;
    rows_of_D(batch, I * kTile, G, scratch.Y, D, sums);
    if (I == tile) scratch.loss += subtract_single_inputs(batch, b, first, last, G, D, input_grad_b);
    if (!summed) {
      column_product(W_I, stride, m, D, grad_Wt);
      row_product(D, W_J, stride, m, scratch.grad_U + int64_t(I) * kTile * stride);
    } else if (I <= tile) {  // S_IJ = D_IJ + D_JI^T serves dW_J, its transpose dW_I
      symmetric_sum(D, scratch.D + I * kept + tile * square, scratch.S, scratch.St);
      column_product(W_I, stride, m, scratch.S, grad_Wt);
      if (I < tile) column_product(W_J, stride, m, scratch.St, model.grad_Wt + int64_t(I) * m * kTile);
    }
  }

  Vec loss = {};
  for (int v = 0; v < kVectors; ++v) {
    const Vec y = relu(sums.b[v]), empty = splat(float(batch.n_empty));
    store(model.grad_b + first + v * kLanes, load(input_grad_b + v * kLanes) + sums.grad_b[v] + empty * y);
    loss += sums.loss[v] + empty * y * y;
  }
  scratch.loss += double(sum(loss));
}

// rows (tile x stride) = the gradient of the tile's rows of W, without the factor `scale`.
SUPERLAW_STAGE void gradient_rows(const Model& model, int n_unique, int tile, const float* const* grad_U, int n_grad_U, float* rows) {
  const int stride = model.stride, m = model.m;
  const float* grad_Wt = model.grad_Wt + int64_t(tile) * m * kTile;
  for (int k = 0; k < stride; k += kLanes)
    for (int j = 0; j < kTile; j += kLanes) {
      Vec block[kLanes];
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) block[l] = k + l < m ? load(grad_Wt + (k + l) * kTile + j) : Vec{};
      transpose(block);
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) store(rows + int64_t(j + l) * stride + k, block[l]);
    }
  for (int j = 0; j < kTile && tile * kTile + j < n_unique; ++j)
    for (int part = 0; part < n_grad_U; ++part) {
      const float* more = grad_U[part] + int64_t(tile * kTile + j) * stride;
      float* row = rows + int64_t(j) * stride;
      for (int k = 0; k < stride; k += kLanes) store(row + k, load(row + k) + load(more + k));
    }
}

// Decay first, with this step's learning rate, then Adam.
SUPERLAW_STAGE void update_rows(const Model& model, const Update& update, int tile, const float* rows) {
  const float eta = update.learning_rate, gamma = update.weight_decay;
  const float beta1 = update.beta1, beta2 = update.beta2;
  const float step = float(eta / update.correction1), root = float(1 / __builtin_sqrt(update.correction2));
  const float bias_step = float(update.bias_learning_rate / update.correction1);
  for (int j = 0; j < kTile; ++j) {
    const int u = tile * kTile + j;
    if (u >= model.n) break;
    const int i = model.order[u];
    float *W = model.W + int64_t(i) * model.stride, *m1 = model.m1 + int64_t(i) * model.stride,
          *m2 = model.m2 + int64_t(i) * model.stride;
    const float* g_row = rows + int64_t(j) * model.stride;
    float keep = 1 - eta * gamma;
    if (gamma < 0) {  // growth toward unit rows
      Vec squares = {};
      for (int k = 0; k < model.stride; k += kLanes) squares += load(W + k) * load(W + k);
      keep = 1 + eta * gamma * (1 - 1 / (__builtin_sqrtf(sum(squares)) + update.epsilon));
    }
    for (int k = 0; k < model.stride; k += kLanes) {
      const Vec g = update.scale * load(g_row + k);
      const Vec first = beta1 * load(m1 + k) + (1 - beta1) * g;
      const Vec second = beta2 * load(m2 + k) + (1 - beta2) * (g * g);
      store(m1 + k, first);
      store(m2 + k, second);
      store(W + k, keep * load(W + k) - step * first / (root * square_root(second) + update.epsilon));
    }
    const float g = update.scale * model.grad_b[u];
    const float first = model.b_m1[i] = beta1 * model.b_m1[i] + (1 - beta1) * g;
    const float second = model.b_m2[i] = beta2 * model.b_m2[i] + (1 - beta2) * g * g;
    model.b[i] -= bias_step * first / (root * __builtin_sqrtf(second) + update.epsilon);
  }
}

// Independent multiply-adds in every register: the yardstick for the share of the peak.
double multiply_adds(int64_t rounds) {
  Vec acc[kAccumulators];
  SUPERLAW_UNROLL
  for (int a = 0; a < kAccumulators; ++a) acc[a] = splat(float(a));
  Vec x = splat(0.999f), y = splat(0.001f);
  for (int64_t i = 0; i < rounds; ++i) {
    SUPERLAW_UNROLL
    for (int a = 0; a < kAccumulators; ++a) acc[a] = acc[a] * x + y;
    __asm__ volatile("");  // keeps the rounds apart
  }
  Vec total = {};
  SUPERLAW_UNROLL
  for (int a = 0; a < kAccumulators; ++a) total += acc[a];
  volatile float sink = sum(total);
  (void)sink;
  return 2.0 * kLanes * kAccumulators * double(rounds);
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

namespace superlaw {
#define SUPERLAW_NAME2(isa) isa##_kernels
#define SUPERLAW_NAME(isa) SUPERLAW_NAME2(isa)
#define SUPERLAW_TEXT2(isa) #isa
#define SUPERLAW_TEXT(isa) SUPERLAW_TEXT2(isa)
const Kernels SUPERLAW_NAME(SUPERLAW_ISA) = {
    SUPERLAW_TEXT(SUPERLAW_ISA),   SUPERLAW_ISA::kTile,         SUPERLAW_ISA::kLanes,
    SUPERLAW_ISA::kAccumulators,   SUPERLAW_ISA::exponentials,  SUPERLAW_ISA::uniforms,
    SUPERLAW_ISA::pack,            SUPERLAW_ISA::tile_gradient, SUPERLAW_ISA::gradient_rows,
    SUPERLAW_ISA::update_rows,     SUPERLAW_ISA::multiply_adds};
}  // namespace superlaw

// One tile J of columns by dense products: the first steps, and whatever has many outputs that are
// not 0. With rows U:
//   gram        G_UJ = V_U W_J^T
//   samples     z_J = b_J + sum_k v_k G_{i_k J},  e = dL/dz,  D_{i_k J} += v_k e,  db_J += e
//               (samples with one active feature never leave the registers; the others keep e in Y)
//   backward    dW_J += D_UJ^T V_U,  dV_U += D_UJ W_J
// The samples are first taken as if x were 0 in the tile; the few entries where a sample's own
// active features lie in the tile are corrected afterwards (correct_*).
#pragma once
#include "output.hpp"
#include "products.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

struct TileSums {
  Vec b[kVectors], grad_b[kVectors], loss[kVectors];
};

inline TileSums start_sums(const float* b) {
  TileSums sums = {};
  for (int v = 0; v < kVectors; ++v) sums.b[v] = load(b + v * kLanes);
  return sums;
}

// db of the tile, with what the inputs take and the samples that have none; returns the loss.
template <class Output>
inline double finish_sums(const TileSums& sums, const Batch& batch, const float* input_grad_b, float* grad_b) {
  Vec loss = {};
  const Vec empty = splat(float(Output::kCountsEmpty ? batch.n_empty : 0));
  for (int v = 0; v < kVectors; ++v) {
    if constexpr (Output::kCountsEmpty) {
      const Vec e = Output::error(sums.b[v], {});
      store(grad_b + v * kLanes, load(input_grad_b + v * kLanes) + sums.grad_b[v] + empty * e);
      loss += sums.loss[v] + empty * Output::loss(sums.b[v], e, {});
    } else {
      store(grad_b + v * kLanes, load(input_grad_b + v * kLanes) + sums.grad_b[v]);
      loss += sums.loss[v];
    }
  }
  return double(sum(loss));
}

// The bits of one row of a tile, from those of its vectors.
inline uint64_t row_bits(const Vec (&z)[kVectors]) {
  uint64_t bits = 0;
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) bits |= positive(z[v]) << (v * kLanes);
  return bits;
}

// e of one sample with several active features (exactly C of them; 0: any number), into Y. With
// kBits, gives a bit for each output with z > 0.
template <class Output, bool kBits, int C>
inline uint64_t multi_sample(const float* G, const Term* inputs, int count, typename Output::Statistic statistic,
                             float* Y, TileSums& sums) {
  const int active = C > 0 ? C : count;
  Vec z[kVectors];
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) z[v] = sums.b[v];
  for (int k = 0; k < active; ++k) {
    const float* g = G + int64_t(inputs[k].row) * kTile;
    const float x = inputs[k].weight;
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) z[v] += x * load(g + v * kLanes);
  }
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const Vec e = Output::error(z[v], statistic);
    sums.grad_b[v] += e;
    sums.loss[v] += Output::loss(z[v], e, statistic);
    store(Y + v * kLanes, e);
  }
  return kBits ? row_bits(z) : 0;
}

inline const SampleStatistic* multi_statistics(const Batch& batch) {
  return batch.statistic + batch.single_start[batch.n_unique];
}

// Y = e of the multi samples, fewest active features first; bits as multi_sample, if asked for.
template <class Output, bool kBits>
SUPERLAW_STAGE void multi_samples(const Batch& batch, const float* G, float* Y, uint64_t* bits, TileSums& totals) {
  TileSums sums = totals;  // a copy, so that it stays in registers
  const int* starts = batch.multi_start;
  int s = 0;
  const auto run = [&](auto kernel, int limit) {
    for (; s < batch.n_multi && starts[s + 1] - starts[s] <= limit; ++s) {
      const auto statistic = Output::statistic(multi_statistics(batch), s);
      const uint64_t found =
          kernel(G, batch.multi + starts[s], starts[s + 1] - starts[s], statistic, Y + int64_t(s) * kTile, sums);
      if (kBits) bits[s] = found;
    }
  };
  run([](auto&&... args) { return multi_sample<Output, kBits, 2>(args...); }, 2);
  run([](auto&&... args) { return multi_sample<Output, kBits, 3>(args...); }, 3);
  run([](auto&&... args) { return multi_sample<Output, kBits, 4>(args...); }, 4);
  run([](auto&&... args) { return multi_sample<Output, kBits, 0>(args...); }, starts[batch.n_multi]);
  totals = sums;
}

// How many outputs are not 0, counted for one row in kLook: an estimate steers as well as a count.
constexpr int kLook = 8;

inline void look(const Vec (&e)[kVectors], TileResult& result) {
  for (int v = 0; v < kVectors; ++v) result.active += __builtin_popcountll(positive(e[v]));
  result.looked_at += kTile;
}

// Rows first.. of D (tile x tile): D_u = sum of v e over the samples where feature u is active.
template <class Output>
SUPERLAW_STAGE void rows_of_D(const Batch& batch, int first, const float* G, const float* Y, float* D,
                              TileSums& totals, TileResult& result) {
  TileSums sums = totals;
  const int last = first + kTile < batch.n_unique ? first + kTile : batch.n_unique;
  for (int u = first; u < last; ++u) {
    Vec g[kVectors], d[kVectors] = {};
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) g[v] = load(G + int64_t(u) * kTile + v * kLanes);
    for (int s = batch.single_start[u]; s < batch.single_start[u + 1]; ++s) {
      const float x = batch.single_value[s];
      const auto statistic = Output::statistic(batch.statistic, s);
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const Vec z = sums.b[v] + x * g[v], e = Output::error(z, statistic);
        d[v] += x * e;
        sums.grad_b[v] += e;
        sums.loss[v] += Output::loss(z, e, statistic);
      }
    }
    if (Output::kSparse && u % kLook == 0 && batch.single_start[u] < batch.single_start[u + 1]) look(d, result);
    for (int k = batch.entry_start[u]; k < batch.entry_start[u + 1]; ++k) {
      const float x = batch.entry[k].weight;
      const float* e = Y + int64_t(batch.entry[k].row) * kTile;
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) d[v] += x * load(e + v * kLanes);
    }
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) store(D + (u - first) * kTile + v * kLanes, d[v]);
  }
  for (int r = last; r < first + kTile; ++r)
    for (int v = 0; v < kVectors; ++v) store(D + (r - first) * kTile + v * kLanes, Vec{});
  totals = sums;
}

// z of one output of a multi sample, formed again.
inline float multi_z(const Batch& batch, const float* G, int sample, int j, float b) {
  float z = b;
  for (int k = batch.multi_start[sample]; k < batch.multi_start[sample + 1]; ++k)
    z += batch.multi[k].weight * G[int64_t(batch.multi[k].row) * kTile + j];
  return z;
}

// The entries of the tile where x is not 0, multi samples: into Y, before D is formed from it.
template <class Output>
double correct_multi(const Batch& batch, const float* G, const float* b, int first, float* Y, float* grad_b) {
  const int last = first + kTile < batch.n_unique ? first + kTile : batch.n_unique;
  double loss = 0;
  for (int u = first; u < last; ++u)
    for (int k = batch.entry_start[u]; k < batch.entry_start[u + 1]; ++k) {
      const int sample = batch.entry[k].row, j = u - first;
      float& e = Y[int64_t(sample) * kTile + j];
      const float z = Output::kErrorIsZ ? e : multi_z(batch, G, sample, j, b[j]);
      const auto statistic = Output::statistic(multi_statistics(batch), sample);
      const Correction own = Output::correct(z, batch.entry[k].weight, statistic);
      loss += own.loss;
      e -= own.error;
      grad_b[j] -= own.error;
    }
  return loss;
}

// The same for samples with one active feature; gives what D_uu loses to its own inputs.
template <class Output>
float correct_single(const Batch& batch, int u, float b, float g, float& grad_b, double& loss) {
  float sum_error = 0, sum_weighted = 0, sum_loss = 0;
  for (int s = batch.single_start[u]; s < batch.single_start[u + 1]; ++s) {
    const float x = batch.single_value[s];
    const Correction own = Output::correct(b + x * g, x, Output::statistic(batch.statistic, s));
    sum_error += own.error;
    sum_weighted += own.error * x;
    sum_loss += own.loss;
  }
  grad_b -= sum_error;
  loss += sum_loss;
  return sum_weighted;
}

// Wt of the tile and the rows of G it needs; returns G.
float* tile_gram(const Model& model, int n_unique, bool mirrored, int tile, Scratch& scratch) {
  const int first = tile * kTile, blocks = (n_unique + kTile - 1) / kTile;
  const int64_t square = kTile * kTile, kept = blocks * square;  // floats of a block, of a tile of G
  float* G = scratch.G + (mirrored ? tile * kept : 0);
  transpose_rows(model.W.packed + int64_t(first) * model.stride, model.stride, model.m, scratch.Wt);
  if (mirrored)  // rows before this tile's own come from tiles already done
    for (int I = 0; I < tile; ++I) transpose_tile(scratch.G + I * kept + tile * square, G + I * square);
  // Mirrored, rows past U are needed too: the last tile of U has columns past U.
  gram(model, scratch.Wt, mirrored ? first : 0, mirrored ? blocks * kTile : n_unique, G);
  for (int j = 0; j < kTile; ++j) scratch.input_grad_b[j] = 0;
  return G;
}

// From G on. With kept_D (rows x tile), D goes there and dV_U is left to later.
template <class Output>
TileResult dense_sums(const Model& model, const Batch& batch, const float* G, bool summed, int tile, Scratch& scratch,
                      float* kept_D) {
  const int n_unique = batch.n_unique, stride = model.stride, m = model.m, first = tile * kTile;
  const int blocks = (n_unique + kTile - 1) / kTile;
  const int64_t square = kTile * kTile, kept = blocks * square, of_tile = int64_t(kTile) * stride;
  const float* W_J = model.W.packed + int64_t(first) * stride;
  const float* b = model.packed_b + first;
  float* grad_Wt = model.grad_J + tile * of_tile;
  float* input_grad_b = scratch.input_grad_b;
  const int last = first + kTile < n_unique ? first + kTile : n_unique;

  TileSums sums = start_sums(b);
  TileResult result = {};
  multi_samples<Output, false>(batch, G, scratch.Y, nullptr, sums);
  if (Output::kSparse)
    for (int s = 0; s < batch.n_multi; s += kLook) {
      Vec e[kVectors];
      for (int v = 0; v < kVectors; ++v) e[v] = load(scratch.Y + int64_t(s) * kTile + v * kLanes);
      look(e, result);
    }
  result.loss = correct_multi<Output>(batch, G, b, first, scratch.Y, input_grad_b);

  for (int64_t i = 0; i < int64_t(m) * kTile; i += kLanes) store(grad_Wt + i, Vec{});
  for (int I = 0; I < blocks; ++I) {
    float* D = summed ? scratch.D + tile * kept + I * square : kept_D ? kept_D + I * square : scratch.D;
    const float* V_I = model.V.packed + I * of_tile;
    rows_of_D<Output>(batch, I * kTile, G, scratch.Y, D, sums, result);
    if (I == tile)
      for (int u = first, j = 0; u < last; ++u, ++j)
        D[j * kTile + j] -=
            correct_single<Output>(batch, u, b[j], G[int64_t(u) * kTile + j], input_grad_b[j], result.loss);
    if (!summed) {
      column_product(V_I, stride, m, D, grad_Wt);
      if (!kept_D) row_product(D, W_J, stride, m, scratch.grad_U + I * of_tile);
    } else if (I <= tile) {  // S_IJ = D_IJ + D_JI^T serves dW_J, its transpose dW_I
      symmetric_sum(D, scratch.D + I * kept + tile * square, scratch.S, scratch.St);
      column_product(V_I, stride, m, scratch.S, grad_Wt);
      if (I < tile) column_product(W_J, stride, m, scratch.St, model.grad_J + I * of_tile);
    }
  }
  result.loss += finish_sums<Output>(sums, batch, input_grad_b, model.grad_b + first);
  return result;
}

template <class Output>
TileResult dense_tile(const Model& model, const Batch& batch, Symmetry symmetry, int tile, Scratch& scratch) {
  const bool unique = tile * kTile < batch.n_unique;
  const float* G = tile_gram(model, batch.n_unique, symmetry.gram && unique, tile, scratch);
  return dense_sums<Output>(model, batch, G, symmetry.gradient && unique, tile, scratch, nullptr);
}

// rows (tile x stride) = what grad_Wt (m x tile) of the tile holds.
inline void transpose_back(const Model& model, int tile, float* rows) {
  const int stride = model.stride, m = model.m;
  const float* grad_Wt = model.grad_J + int64_t(tile) * kTile * stride;
  for (int k = 0; k < stride; k += kLanes)
    for (int j = 0; j < kTile; j += kLanes) {
      Vec block[kLanes];
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) block[l] = k + l < m ? load(grad_Wt + (k + l) * kTile + j) : Vec{};
      transpose(block);
      SUPERLAW_UNROLL
      for (int l = 0; l < kLanes; ++l) store(rows + int64_t(j + l) * stride + k, block[l]);
    }
}

inline void clear(float* row, int64_t count) {
  for (int64_t k = 0; k < count; k += kLanes) store(row + k, Vec{});
}

SUPERLAW_STAGE void dense_rows(const Model& model, int n_unique, int tile, const float* const* grad_U, int n_grad_U,
                               GradientRows gradient) {
  const int stride = model.stride;
  transpose_back(model, tile, gradient.W);
  if (!model.tied) clear(gradient.V, int64_t(kTile) * stride);
  for (int j = 0; j < kTile && tile * kTile + j < n_unique; ++j)
    for (int part = 0; part < n_grad_U; ++part) {
      const float* more = grad_U[part] + int64_t(tile * kTile + j) * stride;
      float* row = gradient.V + int64_t(j) * stride;
      for (int k = 0; k < stride; k += kLanes) store(row + k, load(row + k) + load(more + k));
    }
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

// One tile J of columns where few outputs are active (e = 0 wherever z <= 0): the gradient is formed
// from those outputs alone. Every sum is one of weighted rows of a matrix (`accumulate`):
//   h_s    = sum_k v_k V_{i_k}          of the samples with several active features (sum_h)
//   dW_j   = sum_u d_uj V_u + sum_s e_sj h_s      over the events of column j (sparse_tile)
//   dh_s   = sum_j e_sj W_j                       over the events of sample s (sparse_h)
//   dV_u   = sum_j d_uj W_j + sum_k v_k dh_{s_k}  over the events of row u   (sparse_rows)
// where d_uj sums v e over the samples that have feature u alone. G itself is formed whole: see
// tile_gram. Every sum runs in an order that does not depend on threads.
#pragma once
#include "dense_tile.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

// to (KV vectors) += sum of weight * row. Few vectors a row: several sums side by side, or each
// addition waits for the one before.
template <int KV>
inline void accumulate_panel(const Term* terms, int count, const float* rows, int stride, float* to) {
  constexpr int kSums = KV >= 4 ? 1 : 4 / KV;
  Vec acc[kSums][KV] = {};
  SUPERLAW_UNROLL
  for (int v = 0; v < KV; ++v) acc[0][v] = load(to + v * kLanes);
  int t = 0;
  for (; t + kSums <= count; t += kSums)
    SUPERLAW_UNROLL
    for (int p = 0; p < kSums; ++p) {
      const float* row = rows + int64_t(terms[t + p].row) * stride;
      const float w = terms[t + p].weight;
      SUPERLAW_UNROLL
      for (int v = 0; v < KV; ++v) acc[p][v] += w * load(row + v * kLanes);
    }
  for (; t < count; ++t) {
    const float* row = rows + int64_t(terms[t].row) * stride;
    SUPERLAW_UNROLL
    for (int v = 0; v < KV; ++v) acc[0][v] += terms[t].weight * load(row + v * kLanes);
  }
  SUPERLAW_UNROLL
  for (int v = 0; v < KV; ++v) {
    SUPERLAW_UNROLL
    for (int p = 1; p < kSums; ++p) acc[0][v] += acc[p][v];
    store(to + v * kLanes, acc[0][v]);
  }
}

// A row's vectors in as few panels as fit the registers.
constexpr int kMostPanel = 8;

template <int KV>
inline void accumulate_rest(int vectors, const Term* terms, int count, const float* rows, int stride, float* to) {
  if constexpr (KV > 0) {
    if (vectors == KV) return accumulate_panel<KV>(terms, count, rows, stride, to);
    accumulate_rest<KV - 1>(vectors, terms, count, rows, stride, to);
  }
}

// to (m, padded) += sum of weight * row.
inline void accumulate(const Term* terms, int count, const float* rows, const Model& model, float* to) {
  int vectors = (model.m + kLanes - 1) / kLanes;
  for (; vectors > kMostPanel; vectors -= kMostPanel, rows += kMostPanel * kLanes, to += kMostPanel * kLanes)
    accumulate_panel<kMostPanel>(terms, count, rows, model.stride, to);
  accumulate_rest<kMostPanel>(vectors, terms, count, rows, model.stride, to);
}

void sum_h(const Model& model, const Batch& batch, int sample) {
  float* h = model.V.packed + int64_t(model.first_h + sample) * model.stride;
  const int from = batch.multi_start[sample];
  clear(h, model.stride);
  accumulate(batch.multi + from, batch.multi_start[sample + 1] - from, model.V.packed, model, h);
}

// Samples of one feature alone, few of them: all outputs at once, d = sum of v e. Gives their bits.
template <class Output>
inline uint64_t few_singles(const float* values, int count, const Vec (&g)[kVectors], float* d, TileSums& sums) {
  Vec largest[kVectors], sum_d[kVectors] = {};
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) largest[v] = sums.b[v] + values[0] * g[v];
  for (int s = 0; s < count; ++s) {
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const Vec z = sums.b[v] + values[s] * g[v], e = Output::error(z, {});
      largest[v] = maximum(largest[v], z);
      sum_d[v] += values[s] * e;
      sums.grad_b[v] += e;
      sums.loss[v] += Output::loss(z, e, {});
    }
  }
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) store(d + v * kLanes, sum_d[v]);
  return row_bits(largest);
}

// Many samples: z = b + v G is linear in v, so an output that is 0 at the smallest and at the largest
// v is 0 for all of them (rounding keeps the order), and most outputs are.
template <class Output>
inline uint64_t many_singles(const float* values, int count, float least, float most, const Vec (&g)[kVectors],
                             float* d, TileSums& sums) {
  uint64_t bits = 0;
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const uint64_t active = positive(sums.b[v] + least * g[v]) | positive(sums.b[v] + most * g[v]);
    if (!active) continue;
    bits |= active << (v * kLanes);
    Vec sum_d = {};
    for (int s = 0; s < count; ++s) {
      const Vec z = sums.b[v] + values[s] * g[v], e = Output::error(z, {});
      sum_d += values[s] * e;
      sums.grad_b[v] += e;
      sums.loss[v] += Output::loss(z, e, {});
    }
    store(d + v * kLanes, sum_d);
  }
  return bits;
}

constexpr int kFew = 3;

// Rows of features alone: d_uj into E (n_singles x tile), where the bits say it is not 0.
template <class Output>
SUPERLAW_STAGE void find_singles(const Batch& batch, const float* G, float* E, uint64_t* bits, TileSums& totals) {
  TileSums sums = totals;
  for (int u = 0; u < batch.n_singles; ++u) {
    const float* values = batch.single_value + batch.single_start[u];
    const int count = batch.single_start[u + 1] - batch.single_start[u];
    if (count == 0) {
      bits[u] = 0;
      continue;
    }
    Vec g[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) g[v] = load(G + int64_t(u) * kTile + v * kLanes);
    float* d = E + int64_t(u) * kTile;
    bits[u] = count <= kFew ? few_singles<Output>(values, count, g, d, sums)
                            : many_singles<Output>(values, count, batch.single_least[u], batch.single_most[u], g, d, sums);
  }
  totals = sums;
}

// A tile's events by column: a list for each.
struct Columns {
  Term* list;
  int64_t capacity;
  int count[kTile];
};

// Two words are stored at once: the stores are what `collect` waits for.
inline void put_term(Term* to, int row, uint32_t weight_bits) {
  const uint64_t both = uint64_t(weight_bits) << 32 | uint32_t(row);
  __builtin_memcpy(to, &both, sizeof both);
}
static_assert(sizeof(Term) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// The events by row and by column, where E's bits are set (`total` of them).
SUPERLAW_STAGE void collect(const Scratch& scratch, int n_singles, int n_rows, int total, int first, int first_h,
                            TileEvents& events, Columns& columns) {
  events.reserve(events, total + kSpare, 0);
  Term *event = events.event, *const list = columns.list;
  const int64_t capacity = columns.capacity;
  int fill[kTile] = {};
  for (int r = 0; r < n_rows; ++r) {
    const float* e = scratch.Y + int64_t(r) * kTile;
    const int row = r < n_singles ? r : r - n_singles + first_h;
    uint64_t bits = scratch.bits[r];
    events.row_start[r] = int(event - events.event);
    if (!bits) continue;
    const int found = __builtin_popcountll(bits);
    const auto put = [&](int k, bool real) {
      const int j = __builtin_ctzll(bits | uint64_t(1) << (kTile - 1));
      uint32_t weight;
      __builtin_memcpy(&weight, e + j, sizeof weight);
      put_term(event + k, first + j, weight);
      put_term(list + j * capacity + fill[j], row, weight);
      fill[j] += real;
      bits &= bits - 1;
    };
    // kSpare whatever their number: many rows have no more, and no branch is mispredicted for them.
    SUPERLAW_UNROLL
    for (int k = 0; k < kSpare; ++k) put(k, k < found);
    for (int k = kSpare; k < found; ++k) put(k, true);
    event += found;
  }
  events.row_start[n_rows] = total;
  for (int j = 0; j < kTile; ++j) columns.count[j] = fill[j];
}

// Takes `error` from the event (row, column j), if it is there: it lies among the events of row r.
struct Corrector {
  TileEvents& events;
  Columns& columns;
  int first;

  float* find(int r, int j) const {
    for (int k = events.row_start[r]; k < events.row_start[r + 1]; ++k)
      if (events.event[k].row == first + j) return &events.event[k].weight;
    return nullptr;
  }
  void take(float* event, float error, int row, int j) {
    *event -= error;
    columns.list[j * columns.capacity + columns.count[j]++] = {row, -error};
  }
};

// The samples' own inputs that lie in the tile.
template <class Output>
SUPERLAW_STAGE double correct_events(const Batch& batch, const float* G, const float* b, int first_h,
                                     Corrector corrector, float* grad_b) {
  const int first = corrector.first, last = first + kTile < batch.n_unique ? first + kTile : batch.n_unique;
  double loss = 0;
  for (int u = first, j = 0; u < last; ++u, ++j) {
    if (u < batch.n_singles) {
      const float weighted = correct_single<Output>(batch, u, b[j], G[int64_t(u) * kTile + j], grad_b[j], loss);
      if (float* event = corrector.find(u, j)) corrector.take(event, weighted, u, j);
    }
    for (int k = batch.entry_start[u]; k < batch.entry_start[u + 1]; ++k) {
      const int sample = batch.entry[k].row;
      float* event = corrector.find(batch.n_singles + sample, j);
      const Correction own = Output::correct(event ? *event : 0, batch.entry[k].weight, {});
      loss += own.loss;
      grad_b[j] -= own.error;
      if (event) corrector.take(event, own.error, first_h + sample, j);
    }
  }
  return loss;
}

SUPERLAW_STAGE void sum_columns(const Model& model, const Columns& columns, float* grad_J) {
  for (int j = 0; j < kTile; ++j) {
    float* row = grad_J + int64_t(j) * model.stride;
    clear(row, model.stride);
    accumulate(columns.list + j * columns.capacity, columns.count[j], model.V.packed, model, row);
  }
}

// From this share of active outputs on, a tile is cheaper by dense products than by lists.
constexpr double kDenseTile = 0.25;

template <class Output>
TileResult sparse_tile(const Model& model, const Batch& batch, Symmetry symmetry, int tile, Scratch& scratch,
                       TileEvents& events) {
  static_assert(Output::kSparse);
  const int first = tile * kTile, blocks = (batch.n_unique + kTile - 1) / kTile;
  const int n_singles = batch.n_singles, n_rows = n_singles + batch.n_multi;
  const float* b = model.packed_b + first;
  const float* G = tile_gram(model, batch.n_unique, symmetry.gram && tile < blocks, tile, scratch);
  TileSums sums = start_sums(b);
  find_singles<Output>(batch, G, scratch.Y, scratch.bits, sums);
  multi_samples<Output, true>(batch, G, scratch.Y + int64_t(n_singles) * kTile, scratch.bits + n_singles, sums);
  TileResult result = {0, 0, int64_t(n_rows) * kTile};
  for (int r = 0; r < n_rows; ++r) result.active += __builtin_popcountll(scratch.bits[r]);
  events.dense = double(result.active) > kDenseTile * double(result.looked_at);
  if (events.dense) {
    for (int r = 0; r <= n_rows; ++r) events.row_start[r] = 0;
    events.reserve(events, kSpare, size_t(blocks) * kTile * kTile);
    result.loss = dense_sums<Output>(model, batch, G, false, tile, scratch, events.D).loss;
    return result;
  }
  Columns columns = {scratch.column, scratch.column_capacity, {}};
  collect(scratch, n_singles, n_rows, int(result.active), first, model.first_h, events, columns);
  result.loss = correct_events<Output>(batch, G, b, model.first_h, {events, columns, first}, scratch.input_grad_b);
  sum_columns(model, columns, model.grad_J + int64_t(tile) * kTile * model.stride);
  result.loss += finish_sums<Output>(sums, batch, scratch.input_grad_b, model.grad_b + first);
  return result;
}

// The events of one row, from all tiles, side by side: sums then run over them all at once.
inline int gather(const TileEvents* tiles, int n_tiles, int row, Term* terms) {
  int count = 0;
  for (int t = 0; t < n_tiles; ++t) {
    const int from = tiles[t].row_start[row], found = tiles[t].row_start[row + 1] - from;
    const Term* event = tiles[t].event + from;
    SUPERLAW_UNROLL
    for (int k = 0; k < kSpare; ++k) terms[count + k] = event[k];
    for (int k = kSpare; k < found; ++k) terms[count + k] = event[k];
    count += found;
  }
  return count;
}

void sparse_h(const Model& model, const Batch& batch, const TileEvents* events, int sample, Term* terms) {
  float* grad_h = model.grad_h + int64_t(sample) * model.stride;
  const int count = gather(events, model.n_tiles, batch.n_singles + sample, terms);
  clear(grad_h, model.stride);
  accumulate(terms, count, model.W.packed, model, grad_h);
}

SUPERLAW_STAGE void sparse_rows(const Model& model, const Batch& batch, const TileEvents* events, int tile, Term* terms,
                                GradientRows gradient) {
  const int stride = model.stride, first = tile * kTile;
  const int64_t of_tile = int64_t(kTile) * stride;
  if (events[tile].dense)
    transpose_back(model, tile, gradient.W);
  else
    for (int64_t k = 0; k < of_tile; k += kLanes) store(gradient.W + k, load(model.grad_J + tile * of_tile + k));
  if (!model.tied) clear(gradient.V, of_tile);
  if (first >= batch.n_unique) return;
  for (int t = 0; t < model.n_tiles; ++t)
    if (events[t].dense)
      row_product(events[t].D + int64_t(first) * kTile, model.W.packed + t * of_tile, stride, model.m, gradient.V);
  for (int j = 0, u = first; j < kTile && u < batch.n_unique; ++j, ++u) {
    float* row = gradient.V + int64_t(j) * stride;
    if (u < batch.n_singles)
      accumulate(terms, gather(events, model.n_tiles, u, terms), model.W.packed, model, row);
    const int from = batch.entry_start[u];
    accumulate(batch.entry + from, batch.entry_start[u + 1] - from, model.grad_h, model, row);
  }
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

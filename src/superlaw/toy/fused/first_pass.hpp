// The first pass over the tiles: log sum exp z of every sample, for an output that needs it.
//   scratch   for each lane the largest z so far and sum exp(z - largest), over a thread's tiles
//   finish    log_sum = M + log sum_lanes exp_sum exp(largest - M), M the largest of all
#pragma once
#include "dense_tile.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

// One sample's outputs of the tile join what was seen of it.
inline void join(const Vec (&z)[kVectors], float* largest, float* exp_sum) {
  const Vec before = load(largest);
  Vec most = before;
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) most = maximum(most, z[v]);
  Vec total = load(exp_sum) * exponential(before - most);
  SUPERLAW_UNROLL
  for (int v = 0; v < kVectors; ++v) total += exponential(z[v] - most);
  store(largest, most);
  store(exp_sum, total);
}

SUPERLAW_STAGE void first_pass(const Model& model, const Batch& batch, int tile, Scratch& scratch) {
  const float* G = tile_gram(model, batch.n_unique, false, tile, scratch);
  const TileSums sums = start_sums(model.packed_b + tile * kTile);
  float *largest = scratch.largest, *exp_sum = scratch.exp_sum;
  for (int u = 0; u < batch.n_unique; ++u) {
    Vec g[kVectors], z[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) g[v] = load(G + int64_t(u) * kTile + v * kLanes);
    for (int s = batch.single_start[u]; s < batch.single_start[u + 1]; ++s, largest += kLanes, exp_sum += kLanes) {
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) z[v] = sums.b[v] + batch.single_value[s] * g[v];
      join(z, largest, exp_sum);
    }
  }
  for (int s = 0; s < batch.n_multi; ++s, largest += kLanes, exp_sum += kLanes) {
    Vec z[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) z[v] = sums.b[v];
    for (int k = batch.multi_start[s]; k < batch.multi_start[s + 1]; ++k) {
      const float* g = G + int64_t(batch.multi[k].row) * kTile;
      SUPERLAW_UNROLL
      for (int v = 0; v < kVectors; ++v) z[v] += batch.multi[k].weight * load(g + v * kLanes);
    }
    join(z, largest, exp_sum);
  }
}

// From the scratch of all threads.
SUPERLAW_STAGE void finish_statistics(const Batch& batch, const Scratch* scratch, int n_scratch) {
  const int n_singles = batch.single_start[batch.n_unique];
  for (int s = 0; s < n_singles + batch.n_multi; ++s) {
    Vec most = splat(kLowest);
    for (int t = 0; t < n_scratch; ++t) most = maximum(most, load(scratch[t].largest + int64_t(s) * kLanes));
    float M = most[0];
    for (int l = 1; l < kLanes; ++l) M = most[l] > M ? most[l] : M;
    Vec total = {};
    for (int t = 0; t < n_scratch; ++t)
      total += load(scratch[t].exp_sum + int64_t(s) * kLanes) *
               exponential(load(scratch[t].largest + int64_t(s) * kLanes) - M);
    float inputs = s < n_singles ? batch.single_value[s] : 0;
    for (int k = s < n_singles ? 0 : batch.multi_start[s - n_singles];
         k < (s < n_singles ? 0 : batch.multi_start[s - n_singles + 1]); ++k)
      inputs += batch.multi[k].weight;
    batch.statistic[s] = {float(M + __builtin_log(double(sum(total)))), 1 / inputs};
  }
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

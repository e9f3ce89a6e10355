// Dense products of one tile, and the transposes that the symmetric forms need.
#pragma once
#include "kernels.hpp"
#include "vector.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

constexpr int kGramRows = kAccumulators / kVectors;

// One call a tile: kept out of line, so that a profile names them.
#define SUPERLAW_STAGE __attribute__((noinline))

// G (R x tile) = V rows (R x m, stride) times Wt (m x tile).
template <int R>
inline void gram_block(const float* V, int stride, const float* Wt, int m, float* G) {
  Vec acc[R][kVectors] = {};
  for (int k = 0; k < m; ++k) {
    Vec column[kVectors];
    SUPERLAW_UNROLL
    for (int v = 0; v < kVectors; ++v) column[v] = load(Wt + k * kTile + v * kLanes);
    SUPERLAW_UNROLL
    for (int r = 0; r < R; ++r) {
      const float w = V[r * stride + k];
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

// Rows first..last of G = V W^T.
SUPERLAW_STAGE void gram(const Model& model, const float* Wt, int first, int last, float* G) {
  for (int u = first / kGramRows * kGramRows; u < last; u += kGramRows)
    gram_block<kGramRows>(model.V.packed + int64_t(u) * model.stride, model.stride, Wt, model.m, G + u * kTile);
}

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

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

// What one training step of the toy model reads and writes, and the table of kernels that each
// instruction set provides. Plain structures and raw pointers only (see vector.hpp for why).
//
// Symbols (docs/science.md#symbols): n features, m width, W (n x m), b (n), G = W W^T,
// z = x G + b, y = relu(z), h = W^T x. U: the features that occur in the batch; they come first in
// the step's own order of features ("packed" order), so G has rows U and columns all n.
#pragma once
#include <cstddef>
#include <cstdint>

namespace superlaw {

// One term of a sum of weighted rows: all sparse sums of the engine are lists of them.
struct Term {
  int row;
  float weight;
};

// The non-zeros of a batch, feature indices in packed order.
struct Batch {
  int n_unique;               // |U|
  int n_singles;              // from here on no feature that a sample has alone
  int n_empty;                // samples with no active feature: y = relu(b) for all of them
  const int* single_start;    // (n_unique + 1) samples with this feature alone ...
  const float* single_value;  // ... their values ...
  const float* single_least;  // (n_unique) ... and the smallest and the largest of these
  const float* single_most;
  int n_multi;                // samples with two or more active features, fewest first
  const int* multi_start;     // (n_multi + 1) their entries
  const Term* multi;          // packed feature, value
  const int* entry_start;     // (n_unique + 1) the same entries by feature
  const Term* entry;          // index into the multi samples, value
};

struct Model {
  int n, m;
  int stride;             // floats in a row of W: m padded to whole vectors
  int n_tiles;            // tiles of columns
  float *W, *m1, *m2;     // (n, stride) weights and Adam's moments, natural order of features
  float *b, *b_m1, *b_m2; // (n)
  int* order;             // (n) packed -> natural
  float* packed_W;        // (first_h, stride) rows of W in packed order, with slack; then h of the multi samples
  int first_h;            // row of packed_W where h begins
  float* packed_b;        // (n_tiles * tile)
  float* grad_b;          // (n_tiles * tile)
  float* grad_J;          // (n_tiles, tile * stride) gradient from the columns of G: dense (m, tile), sparse (tile, stride)
  float* grad_h;          // (n_multi, stride) dL/dh, sparse only
};

// e of the outputs of one tile that are not 0, row by row: the first n_singles features
// (sum of v e over these samples), then the multi samples (their e).
struct TileEvents {
  int* row_start;  // (n_singles + n_multi + 1)
  Term* event;     // packed feature (column of G), e
  float* D;        // (rows, tile) dL/dG without the factor, where the tile has too many events to list
  bool dense;      // whether it has
  int capacity;    // of event
  size_t D_capacity;
  void (*reserve)(TileEvents&, int events, size_t D);  // makes room for so many
};

// What one thread needs of its own.
struct Scratch {
  float* Wt;       // (m, tile) one tile of W, transposed
  float* G;        // (rows, tile), rows = |U| padded to whole tiles; (tiles of U, rows, tile) if kept
  float* D;        // (tile, tile), or like G if kept: dL/dG without the factor
  float* grad_U;   // (rows, stride) gradient from the rows of G, packed order, dense only
  float* Y;        // (n_multi, tile) e of the multi samples; sparse, rows as in TileEvents ...
  uint64_t* bits;  // ... and of each row, which outputs are not 0
  float *S, *St;   // (tile, tile) each
  float* input_grad_b;  // (tile)
  Term* column;    // (tile, column_capacity) the events of each column, sparse only
  int column_capacity;
  Term* terms;     // (n + slack) the events of one row, all tiles
};

struct Symmetry {
  bool gram;      // G_IJ for I < J is the transpose of G_JI: half the product for U x U
  bool gradient;  // (D + D^T) W: half the products for U x U, dense only
};

struct TileResult {
  double loss;       // sum over samples and the tile's features
  int64_t active;    // pairs (row, output) with e not 0 ...
  int64_t looked_at; // ... of so many; row as in TileEvents
};

struct Update {  // one step of AdamW with signed decoupled decay
  float learning_rate, bias_learning_rate, weight_decay;
  float beta1, beta2, epsilon;
  double correction1, correction2;  // 1 - beta^t
  float scale;                      // from the kernels' sums to the objective's gradient
};

constexpr int kSpare = 2;  // events written past a row's end

struct Kernels {
  const char* name;
  int tile, lanes, row_slack;  // G is written up to row_slack rows past |U|
  float error_scale;           // dL/dz = error_scale e
  void (*exponentials)(const uint32_t key[2], const uint32_t counter[4], int count, double* out);
  void (*uniforms)(const uint32_t key[2], const uint32_t counter[4], int count, float* out);
  void (*pack)(Model&, int first_tile, int last_tile);
  TileResult (*dense_tile)(const Model&, const Batch&, Symmetry, int tile, Scratch&);
  void (*dense_rows)(const Model&, int n_unique, int tile, const float* const* grad_U, int n_grad_U, float* rows);
  void (*sum_h)(const Model&, const Batch&, int sample);
  TileResult (*sparse_tile)(const Model&, const Batch&, Symmetry, int tile, Scratch&, TileEvents&);
  void (*sparse_h)(const Model&, const Batch&, const TileEvents*, int sample, Term* terms);
  void (*sparse_rows)(const Model&, const Batch&, const TileEvents*, int tile, Term* terms, float* rows);
  void (*update_rows)(const Model&, const Update&, int tile, const float* rows);
  double (*multiply_adds)(int64_t rounds);  // for measuring the peak; returns operations done
};

extern const Kernels baseline_kernels, avx2_kernels, avx512_kernels;  // the last two on x86 only

}  // namespace superlaw

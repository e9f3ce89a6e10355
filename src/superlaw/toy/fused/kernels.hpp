// What one training step of the toy model reads and writes, and the table of kernels that each
// instruction set provides. Plain structures and raw pointers only (see vector.hpp for why).
//
// Symbols (docs/science.md#symbols): n features, m width, W (n x m), b (n), G = W W^T,
// z = x G + b, y = relu(z). U: the features that occur in the batch; they come first in the
// step's own order of features ("packed" order), so G has rows U and columns all n.
#pragma once
#include <cstdint>

namespace superlaw {

// The non-zeros of a batch, feature indices in packed order.
struct Batch {
  int n_unique;               // |U|
  int n_empty;                // samples with no active feature: y = relu(b) for all of them
  const int* single_start;    // (n_unique + 1) samples with this feature alone ...
  const float* single_value;  // ... and their values
  int n_multi;                // samples with two or more active features, fewest first
  const int* multi_start;     // (n_multi + 1) their entries
  const int* multi_row;       // packed feature of each entry
  const float* multi_value;
  const int* entry_start;     // (n_unique + 1) the same entries by feature
  const int* entry_sample;    // index into the multi samples
  const float* entry_value;
};

struct Model {
  int n, m;
  int stride;             // floats in a row of W: m padded to whole vectors
  int n_tiles;            // tiles of columns
  float *W, *m1, *m2;     // (n, stride) weights and Adam's moments, natural order of features
  float *b, *b_m1, *b_m2; // (n)
  int* order;             // (n) packed -> natural
  float* packed_W;        // (n_tiles * tile + slack, stride) rows of W in packed order
  float* packed_b;        // (n_tiles * tile)
  float* grad_b;          // (n_tiles * tile)
  float* grad_Wt;         // (n_tiles, m, tile) gradient from the columns of G
};

// What one thread needs of its own.
struct Scratch {
  float* Wt;       // (m, tile) one tile of W, transposed
  float* G;        // (rows, tile), rows = |U| padded to whole tiles; (tiles of U, rows, tile) if kept
  float* D;        // (tile, tile), or like G if kept: dL/dG without the factor 2/B
  float* grad_U;   // (rows, stride) gradient from the rows of G, packed order
  float* Y;        // (n_multi, tile) y - x where z > 0, of the multi samples
  float *S, *St;   // (tile, tile) each
  float* input_grad_b;  // (tile)
  double loss;     // sum over samples and features of the columns done so far
};

struct Symmetry {
  bool gram;      // G_IJ for I < J is the transpose of G_JI: half the product for U x U
  bool gradient;  // (D + D^T) W: half the products for U x U
};

struct Update {  // one step of AdamW with signed decoupled decay
  float learning_rate, bias_learning_rate, weight_decay;
  float beta1, beta2, epsilon;
  double correction1, correction2;  // 1 - beta^t
  float scale;                      // from the kernels' sums to the objective's gradient
};

struct Kernels {
  const char* name;
  int tile, lanes, row_slack;  // G is written up to row_slack rows past |U|
  void (*exponentials)(const uint32_t key[2], const uint32_t counter[4], int count, double* out);
  void (*uniforms)(const uint32_t key[2], const uint32_t counter[4], int count, float* out);
  void (*pack)(Model&, int first_tile, int last_tile);
  void (*tile_gradient)(const Model&, const Batch&, Symmetry, int tile, Scratch&);
  void (*gradient_rows)(const Model&, int n_unique, int tile, const float* const* grad_U, int n_grad_U, float* rows);
  void (*update_rows)(const Model&, const Update&, int tile, const float* rows);
  double (*multiply_adds)(int64_t rounds);  // for measuring the peak; returns operations done
};

extern const Kernels baseline_kernels, avx2_kernels, avx512_kernels;  // the last two on x86 only

}  // namespace superlaw

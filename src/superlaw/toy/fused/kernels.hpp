// What one training step of the toy model reads and writes, and the table of kernels that each
// instruction set provides. Plain structures and raw pointers only (see vector.hpp for why).
//
// Symbols (docs/science.md#symbols): n features, m width, W (n x m), b (n), G = W W^T,
// z = x G + b, y = relu(z), h = W^T x. With an encoder V of its own (not tied) h = V^T x and
// G = V W^T; else V is W in what follows. U: the features that occur in the batch; they come first in
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

// What an output may need to know of all the outputs of its sample (output.hpp).
struct SampleStatistic {
  float log_sum;  // log sum_j exp z_j
  float share;    // 1 / sum_i x_i
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
  SampleStatistic* statistic; // samples of one feature, in the order of single_value, then the multi samples
};

// W, or the encoder V.
struct Matrix {
  float *rows, *m1, *m2;  // (n, stride) weights and the optimiser's moments, natural order of features
  float* packed;          // (first_h, stride) rows in packed order, with slack; V's: then h of the multi samples
};

struct Model {
  int n, m;
  int stride;             // floats in a row of W: m padded to whole vectors
  int n_tiles;            // tiles of columns
  bool tied;              // V is W: the same pointers
  Matrix W, V;
  float *b, *b_m1, *b_m2; // (n)
  int* order;             // (n) packed -> natural
  int first_h;            // row of V.packed where h begins
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
  float* largest;  // (samples, lanes) the largest z so far, and sum exp(z - largest): first pass only
  float* exp_sum;
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

struct Update {  // one step of the optimiser, with signed decoupled decay
  float learning_rate, bias_learning_rate, weight_decay;
  float beta1, beta2, epsilon;      // sgd: beta1 is its momentum
  double correction1, correction2;  // 1 - beta^t
  float scale;                      // from the kernels' sums to the objective's gradient
  float norm_epsilon;               // added to the norms of rows
  bool unit_rows;                   // rows are set back to norm 1
};

struct GradientRows {  // of one tile of rows (tile, stride), without the factor `scale`; the same where tied
  float *W, *V;
};

// Which activation and loss (output.hpp), which rule of the optimiser (update.hpp), which
// distribution of an active feature's value (values.hpp).
enum class Output { relu, linear, gelu, cross_entropy };
enum class Rule { adam, sgd };
enum class Values { uniform, exponential, half_normal, constant };
constexpr int kOutputs = 4, kRules = 2;

struct OutputKernels {
  bool sparse;        // most outputs may be 0 in e: steps from the active outputs alone
  bool counts_empty;  // samples without an active feature are in the mean; their objective is L / n
  float error_scale;  // dL/dz = error_scale e
  float padding;      // b of columns past the last feature
  TileResult (*dense_tile)(const Model&, const Batch&, Symmetry, int tile, Scratch&);
  TileResult (*sparse_tile)(const Model&, const Batch&, Symmetry, int tile, Scratch&, TileEvents&);  // or none
  void (*first_pass)(const Model&, const Batch&, int tile, Scratch&);                                // or none
};

struct RuleKernels {
  void (*update_rows)(const Model&, const Matrix&, const Update&, int tile, const float* rows);
  void (*update_bias)(const Model&, const Update&, int tile);
};

constexpr float kLowest = -1e30f;  // stands for minus infinity: its differences stay numbers
constexpr int kSpare = 2;  // events written past a row's end

struct Kernels {
  const char* name;
  int tile, lanes, row_slack;  // G is written up to row_slack rows past |U|
  OutputKernels outputs[kOutputs];
  RuleKernels rules[kRules];
  void (*exponentials)(const uint32_t key[2], const uint32_t counter[4], int count, double* out);
  void (*uniforms)(const uint32_t key[2], const uint32_t counter[4], int count, float* out);
  void (*values)(Values, int count, float* uniforms);  // quantiles, in place; count as of uniforms
  void (*chances)(const uint32_t key[2], const uint32_t counter[4], int count, const int* first, const int* last,
                  uint32_t* one, uint32_t* other);
  void (*pack)(const Model&, const Matrix&, int tile);
  void (*finish_statistics)(const Batch&, const Scratch* scratch, int n_scratch);
  void (*dense_rows)(const Model&, int n_unique, int tile, const float* const* grad_U, int n_grad_U, GradientRows);
  void (*sum_h)(const Model&, const Batch&, int sample);
  void (*sparse_h)(const Model&, const Batch&, const TileEvents*, int sample, Term* terms);
  void (*sparse_rows)(const Model&, const Batch&, const TileEvents*, int tile, Term* terms, GradientRows);
  double (*multiply_adds)(int64_t rounds);  // for measuring the peak; returns operations done
};

extern const Kernels baseline_kernels, avx2_kernels, avx512_kernels;  // the last two on x86 only

}  // namespace superlaw

// One model in training: its arrays, the order of work within a step, and its threads.
#pragma once
#include <vector>

#include "arrays.hpp"
#include "grouped_batch.hpp"
#include "kernels.hpp"
#include "sampler.hpp"
#include "workers.hpp"

namespace superlaw {

struct Optimizer {
  Rule rule = Rule::adam;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // of adam; sgd's momentum is beta1
  double weight_decay = 0, norm_epsilon = 1e-8, loss_scale = 1;
  bool unit_rows = false, learn_bias = true;
};

// What kind of model: its sizes, its output, and whether its encoder is W.
struct Form {
  int n, m;
  Output output = Output::relu;
  bool tied = true;
};

// W (n, m), b (n) and, where it is not tied, the encoder V (n, m): a state or its gradient.
template <class Number>
struct Parts {
  Number *W, *b, *V;
};

// `automatic` lets the cost model choose; the others are for tests and benchmarks.
enum class Products { automatic, plain, symmetric_gradient, symmetric, sparse };

class Trainer {
 public:
  Trainer(const Kernels& kernels, const Form& form, int threads, Products products);
  void set_state(Parts<const float> state);  // the optimiser's moments start at 0
  void get_state(Parts<float> state) const;

  // One step on the batch of (seed, step); returns L, mean over samples.
  double step(Sampler& sampler, uint64_t step, const Optimizer& optimizer, double learning_rate,
              double bias_learning_rate);

  // Gradients of L on a given batch, without an update.
  double gradient(const Entries& entries, int n_samples, Parts<float> gradient);

  int64_t sparse_steps() const { return sparse_steps_; }
  int64_t samples_left_out() const { return left_out_; }

 private:
  struct Own {  // arrays of one thread: see Scratch
    Floats Wt, G, D, grad_U, Y, S, St, input_grad_b, grad_rows, grad_V, largest, exp_sum;
    std::vector<Term> column, terms;
    std::vector<uint64_t> bits;
  };

  double accumulate(const Entries& entries, int n_samples);
  void statistics();
  void dense_tiles(Symmetry symmetry);
  void sparse_tiles(Symmetry symmetry);
  GradientRows gradient_rows(int tile, Own& own);  // into own.grad_rows and, not tied, own.grad_V
  Symmetry choose(int n_unique) const;
  template <class Body>
  void for_all(int count, Body body);  // body(thread, i), i = 0 .. count - 1

  const Kernels& kernels_;
  const OutputKernels& output_;
  Products products_;
  Workers workers_;
  Model model_;
  GroupedBatch batch_;
  Entries entries_;
  int64_t updates_ = 0;
  std::vector<int> order_;
  bool sparse_ = false;  // how the next step (with `automatic`) and ...
  bool is_sparse_ = false;  // ... the present one form the gradient
  int64_t sparse_steps_ = 0, left_out_ = 0;
  int counted_ = 0;  // samples that the loss of the present batch is a mean of
  std::vector<Scratch> scratch_;
  std::vector<float*> grad_U_;
  std::vector<Own> own_;
  std::vector<TileResult> results_;
  EventLists events_;
  struct OfMatrix {
    Floats rows, m1, m2, packed;
  } W_, V_;
  Floats b_, packed_b_, grad_b_, grad_J_, grad_h_;
};

}  // namespace superlaw

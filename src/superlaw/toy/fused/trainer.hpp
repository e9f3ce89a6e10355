// One model in training: its arrays, the order of work within a step, and its threads.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels.hpp"
#include "sampler.hpp"

namespace superlaw {

// 64-byte aligned, zeroed floats.
class Floats {
 public:
  Floats() = default;
  void resize(size_t count);  // grows only; old contents are dropped when it grows
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

// Growing lists of Terms, uninitialised: room is taken only where events are.
class EventLists {
 public:
  ~EventLists();
  void resize(int count, int rows);  // so many lists, all of them empty, each of so many rows
  TileEvents* data() { return lists_.data(); }

 private:
  std::vector<TileEvents> lists_;
  std::vector<int> row_starts_;
};

// Threads that sleep between calls (spinning beside another process costs a factor of 50).
class Workers {
 public:
  explicit Workers(int count);
  ~Workers();
  int count() const { return int(threads_.size()) + 1; }
  void run(const std::function<void(int)>& work);  // work(0 .. count - 1), returns when all are done

 private:
  void serve(int t);    // what thread t does, until the end
  void attempt(int t);  // work(t), keeping the first exception of all threads
  void end();

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int)>* work_ = nullptr;
  uint64_t round_ = 0;
  int running_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
};

struct Optimizer {
  double beta1, beta2, epsilon, weight_decay;
};

// `automatic` lets the cost model choose; the others are for tests and benchmarks.
enum class Products { automatic, plain, symmetric_gradient, symmetric, sparse };

class Trainer {
 public:
  Trainer(const Kernels& kernels, int n, int m, int threads, Products products);
  void set_state(const float* W, const float* b);  // (n, m), (n); Adam's moments start at 0
  void get_state(float* W, float* b) const;

  // One step on the batch of (seed, step); returns L, the sum over features, mean over samples.
  double step(Sampler& sampler, uint64_t step, double loss_scale, const Optimizer& optimizer, double learning_rate,
              double bias_learning_rate);

  // Gradients of L on a given batch, without an update: dW (n, m), db (n).
  double gradient(const Entries& entries, int n_samples, float* dW, float* db);

  int64_t sparse_steps() const { return sparse_steps_; }

 private:
  struct Own {  // arrays of one thread: see Scratch
    Floats Wt, G, D, grad_U, Y, S, St, input_grad_b, grad_rows;
    std::vector<Term> column, terms;
    std::vector<uint64_t> bits;
  };

  double accumulate(const Entries& entries, int n_samples);
  void dense_tiles(Symmetry symmetry);
  void sparse_tiles(Symmetry symmetry);
  void gradient_rows(int tile, Own& own);  // into own.grad_rows
  Symmetry choose(int n_unique) const;
  template <class Body>
  void for_all(int count, Body body);  // body(thread, i), i = 0 .. count - 1

  const Kernels& kernels_;
  Products products_;
  Workers workers_;
  Model model_;
  GroupedBatch batch_;
  Entries entries_;
  int64_t updates_ = 0;
  std::vector<int> order_;
  bool sparse_ = false;  // how the next step (with `automatic`) and ...
  bool is_sparse_ = false;  // ... the present one form the gradient
  int64_t sparse_steps_ = 0;
  std::vector<Scratch> scratch_;
  std::vector<float*> grad_U_;
  std::vector<Own> own_;
  std::vector<TileResult> results_;
  EventLists events_;
  std::vector<Floats> W_;
  Floats b_, packed_W_, packed_b_, grad_b_, grad_J_, grad_h_;
};

}  // namespace superlaw

// Sparse batches: only the non-zeros are drawn (sampler) and sorted for the kernels (grouping).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace superlaw {

// The non-zeros of a batch, feature by feature, samples ascending within a feature.
struct Entries {
  std::vector<int> start;     // (n + 1)
  std::vector<int> sample;    // (non-zeros)
  std::vector<float> value;
};

// x_i = u_i v_i with u_i ~ Bernoulli(p_i), v_i ~ Uniform(0, 2): geometric jumps through the
// batch, so about B E + n random numbers instead of 2 B n. A function of (seed, step) alone.
class Sampler {
 public:
  Sampler(const Kernels& kernels, std::vector<double> frequencies, int batch, uint64_t seed);
  void draw(uint64_t step, Entries& entries);
  int n_features() const { return int(mean_jump_.size()); }
  int batch() const { return batch_; }

 private:
  double next_exponential(uint64_t step);
  const Kernels& kernels_;
  std::vector<double> mean_jump_;  // -1 / log(1 - p_i); negative where p_i = 0
  int batch_;
  uint32_t key_[2];
  std::vector<double> exponentials_;
  size_t used_ = 0;
  uint32_t refills_ = 0;
};

// Owns the arrays that a Batch points to.
class GroupedBatch {
 public:
  // Sorts entries into `batch()` and writes the packed order of features to order (n): those of the
  // batch first; the biases b (n) steer the order within.
  void group(const Entries& entries, int n_samples, const float* b, int* order);
  const Batch& batch() const { return view_; }

 private:
  Batch view_;
  std::vector<int> count_, alone_before_, bucket_, by_count_, slot_, fill_;
  std::vector<int> single_start_, multi_start_, entry_start_;
  std::vector<float> single_value_, single_least_, single_most_;
  std::vector<Term> multi_, entry_;
};

}  // namespace superlaw

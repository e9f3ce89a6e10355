// A sparse batch sorted for the kernels.
#pragma once
#include <vector>

#include "draws.hpp"

namespace superlaw {

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
  std::vector<SampleStatistic> statistic_;
};

}  // namespace superlaw

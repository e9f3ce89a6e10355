// Sparse batches: only the non-zeros are drawn.
#pragma once
#include <memory>

#include "draws.hpp"
#include "groups.hpp"

namespace superlaw {

// x_i = u_i v_i with u_i ~ Bernoulli(p_i), v_i of mean 1, independent or fired together
// (groups.hpp): geometric jumps through the batch, so about B E + n random numbers instead of
// 2 B n. A function of (seed, step) alone.
class Sampler {
 public:
  Sampler(const Kernels& kernels, const Distribution& distribution);
  void draw(uint64_t step, Entries& entries);
  int batch() const { return batch_; }

 private:
  const Kernels& kernels_;
  std::vector<double> mean_jump_;
  int batch_;
  Values values_;
  uint32_t key_[2];
  Exponentials exponentials_;
  std::unique_ptr<Groups> groups_;
};

}  // namespace superlaw

// What a batch is drawn from and with, and its non-zeros as they come.
#pragma once
#include <cmath>
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

// What batches are drawn from.
struct Distribution {
  std::vector<double> frequencies;  // (n) p_i
  int batch;
  uint64_t seed;
  Values values = Values::uniform;
  double correlation = 0;
  std::vector<int> groups = {};  // (n) number of each feature's group; empty without correlation
};

// Streams of random numbers: the last word of the counter, of which groups take the higher bits.
constexpr uint32_t kJumps = 0, kValues = 1, kShared = 2, kStreams = 4;

// Exponential numbers of one step, as many as are asked for.
class Exponentials {
 public:
  Exponentials(const Kernels& kernels, uint64_t seed);
  void start(uint64_t step);
  double next();

 private:
  const Kernels& kernels_;
  uint32_t key_[2];
  uint64_t step_ = 0;
  std::vector<double> numbers_;
  size_t used_ = 0;
  uint32_t refills_ = 0;
};

// -1 / log(1 - p): the mean of the numbers whose floor is Geometric(p); negative where p = 0.
inline double mean_jump(double p) { return p > 0 ? -1 / std::log1p(-p) : -1; }

// Calls found(sample) for samples of a batch, ascending, each with the probability of mean_jump.
template <class Found>
void jump_through(int batch, double mean_jump, Exponentials& exponentials, Found found) {
  for (int sample = mean_jump < 0 ? batch : 0; sample < batch; ++sample) {
    const double jump = exponentials.next() * mean_jump;
    if (jump >= batch - sample) break;
    sample += int(jump);
    found(sample);
  }
}

}  // namespace superlaw

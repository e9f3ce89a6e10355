#include "sampler.hpp"

namespace superlaw {
namespace {
constexpr int kRefill = 1024;
}  // namespace

Exponentials::Exponentials(const Kernels& kernels, uint64_t seed)
    : kernels_(kernels), key_{uint32_t(seed), uint32_t(seed >> 32)}, numbers_(kRefill) {}

void Exponentials::start(uint64_t step) {
  step_ = step;
  refills_ = 0;
  used_ = numbers_.size();
}

double Exponentials::next() {
  if (used_ == numbers_.size()) {
    const uint32_t counter[4] = {refills_++ * (kRefill / 4), uint32_t(step_), uint32_t(step_ >> 32), kJumps};
    kernels_.exponentials(key_, counter, kRefill, numbers_.data());
    used_ = 0;
  }
  return numbers_[used_++];
}

Sampler::Sampler(const Kernels& kernels, const Distribution& distribution)
    : kernels_(kernels), mean_jump_(distribution.frequencies), batch_(distribution.batch),
      values_(distribution.values), key_{uint32_t(distribution.seed), uint32_t(distribution.seed >> 32)},
      exponentials_(kernels, distribution.seed) {
  for (double& p : mean_jump_) p = mean_jump(p);
  if (!distribution.groups.empty()) groups_ = std::make_unique<Groups>(kernels, distribution);
}

void Sampler::draw(uint64_t step, Entries& entries) {
  const int n = int(mean_jump_.size());
  exponentials_.start(step);
  entries.start.resize(n + 1);
  int count = 0;
  for (int i = 0; i < n; ++i) {
    entries.start[i] = count;
    if (entries.sample.size() < size_t(count) + batch_) entries.sample.resize(2 * (size_t(count) + batch_));
    int* const sample = entries.sample.data();
    jump_through(batch_, mean_jump_[i], exponentials_, [&](int found) { sample[count++] = found; });
  }
  entries.start[n] = count;
  entries.sample.resize(count);
  if (groups_) groups_->join(step, exponentials_, entries);
  count = entries.start[n];
  entries.value.resize((count + 63) / 64 * 64);
  const uint32_t counter[4] = {0, uint32_t(step), uint32_t(step >> 32), kValues};
  kernels_.uniforms(key_, counter, int(entries.value.size()), entries.value.data());
  kernels_.values(values_, int(entries.value.size()), entries.value.data());
  entries.value.resize(count);
}

}  // namespace superlaw

#include "sampler.hpp"

#include <cmath>
#include <utility>

namespace superlaw {
namespace {
constexpr uint32_t kJumps = 0, kValues = 1;  // streams: the last word of the counter
constexpr int kRefill = 1024;
}  // namespace

Sampler::Sampler(const Kernels& kernels, std::vector<double> frequencies, int batch, uint64_t seed)
    : kernels_(kernels), batch_(batch), key_{uint32_t(seed), uint32_t(seed >> 32)}, exponentials_(kRefill) {
  mean_jump_ = std::move(frequencies);
  for (double& p : mean_jump_) p = p > 0 ? -1 / std::log1p(-p) : -1;
}

double Sampler::next_exponential(uint64_t step) {
  if (used_ == exponentials_.size()) {
    const uint32_t counter[4] = {refills_++ * (kRefill / 4), uint32_t(step), uint32_t(step >> 32), kJumps};
    kernels_.exponentials(key_, counter, kRefill, exponentials_.data());
    used_ = 0;
  }
  return exponentials_[used_++];
}

void Sampler::draw(uint64_t step, Entries& entries) {
  refills_ = 0;
  used_ = exponentials_.size();
  const int n = n_features();
  entries.start.resize(n + 1);
  int count = 0;
  for (int i = 0; i < n; ++i) {
    entries.start[i] = count;
    if (entries.sample.size() < size_t(count) + batch_) entries.sample.resize(2 * (size_t(count) + batch_));
    const double mean_jump = mean_jump_[i];
    for (int sample = mean_jump < 0 ? batch_ : 0; sample < batch_; ++sample) {
      const double jump = next_exponential(step) * mean_jump;  // floor(jump) ~ Geometric(p)
      if (jump >= batch_ - sample) break;
      sample += int(jump);
      entries.sample[count++] = sample;
    }
  }
  entries.start[n] = count;
  entries.sample.resize(count);
  entries.value.resize((count + 63) / 64 * 64);
  const uint32_t counter[4] = {0, uint32_t(step), uint32_t(step >> 32), kValues};
  kernels_.uniforms(key_, counter, int(entries.value.size()), entries.value.data());
  for (float& v : entries.value) v *= 2;
  entries.value.resize(count);
}

void GroupedBatch::group(const Entries& entries, int n_samples, const float* b, int* order) {
  const int n = int(entries.start.size()) - 1, n_entries = int(entries.sample.size());
  const int* sample = entries.sample.data();
  const float* value = entries.value.data();

  count_.assign(n_samples, 0);
  for (int e = 0; e < n_entries; ++e) ++count_[sample[e]];
  int most = 2, n_empty = 0;
  for (const int c : count_) {
    most = c > most ? c : most;
    n_empty += c == 0;
  }

  // Features of the batch before the others, and within both those of large bias first, in three
  // classes: their outputs are active for many samples (all, where b > 0), and such columns had best
  // share tiles. Then by how many samples of each kind they have: the kernels' loops then repeat the
  // same counts, and the processor predicts them.
  constexpr int kCap = 15, kKinds = (kCap + 1) * (kCap + 1), kClasses = 3;
  int buckets[kClasses * (kKinds + 1) + 1] = {};
  bucket_.resize(n);
  alone_before_.resize(n_entries + 1);
  int singles = 0;
  for (int e = 0; e < n_entries; ++e) {
    alone_before_[e] = singles;
    singles += count_[sample[e]] == 1;
  }
  alone_before_[n_entries] = singles;
  double mean_b = 0;
  for (int i = 0; i < n; ++i) mean_b += b[i];
  mean_b /= n;
  int n_unique = 0;
  for (int i = 0; i < n; ++i) {
    const int total = entries.start[i + 1] - entries.start[i];
    const int alone = alone_before_[entries.start[i + 1]] - alone_before_[entries.start[i]];
    const int others = total - alone < kCap ? total - alone : kCap;
    const int kind = (kCap - (alone < kCap ? alone : kCap)) * (kCap + 1) + kCap - others;  // most samples first
    const int bias = int(!(b[i] > 0)) + int(!(b[i] > 0 || b[i] > mean_b));
    bucket_[i] = total > 0 ? bias * kKinds + kind : kClasses * kKinds + bias;
    n_unique += total > 0;
    ++buckets[bucket_[i] + 1];
  }
  for (int k = 0; k < kClasses * (kKinds + 1); ++k) buckets[k + 1] += buckets[k];
  for (int i = 0; i < n; ++i) order[buckets[bucket_[i]]++] = i;

  // Single samples by feature; entries of the others by feature, still with their sample's number.
  // Every entry is written to both lists; only the position of the right one advances.
  single_start_.resize(n_unique + 1);
  entry_start_.resize(n_unique + 1);
  single_value_.resize(n_entries + 1);
  single_least_.resize(n_unique);
  single_most_.resize(n_unique);
  entry_.resize(n_entries + 1);
  singles = 0;
  int others = 0, n_singles = 0;
  for (int u = 0; u < n_unique; ++u) {
    single_start_[u] = singles;
    entry_start_[u] = others;
    for (int e = entries.start[order[u]]; e < entries.start[order[u] + 1]; ++e) {
      const bool alone = count_[sample[e]] == 1;
      single_value_[singles] = value[e];
      entry_[others] = {sample[e], value[e]};
      singles += alone;
      others += !alone;
    }
    float least = single_value_[single_start_[u]], most = least;
    for (int s = single_start_[u]; s < singles; ++s) {
      least = single_value_[s] < least ? single_value_[s] : least;
      most = single_value_[s] > most ? single_value_[s] : most;
    }
    single_least_[u] = least;
    single_most_[u] = most;
    if (singles > single_start_[u]) n_singles = u + 1;
  }
  single_start_[n_unique] = singles;
  entry_start_[n_unique] = others;

  // Multi samples: fewest features first, then by first feature, so that rows stay in cache.
  by_count_.assign(most + 2, 0);
  for (const int c : count_) ++by_count_[c + 1];
  by_count_[1] = by_count_[2] = 0;
  for (int c = 0; c <= most; ++c) by_count_[c + 1] += by_count_[c];
  const int n_multi = by_count_[most + 1];
  slot_.assign(n_samples, -1);
  multi_start_.resize(n_multi + 1);
  for (int e = 0; e < others; ++e) {
    int& slot = slot_[entry_[e].row];
    if (slot < 0) {
      const int c = count_[entry_[e].row];
      slot = by_count_[c]++;
      multi_start_[slot] = c;
    }
    entry_[e].row = slot;
  }
  for (int s = 0, total = 0; s < n_multi; ++s) {
    const int c = multi_start_[s];
    multi_start_[s] = total;
    total += c;
  }
  multi_start_[n_multi] = others;

  fill_.assign(multi_start_.begin(), multi_start_.end());
  multi_.resize(others);
  for (int u = 0; u < n_unique; ++u)
    for (int e = entry_start_[u]; e < entry_start_[u + 1]; ++e) multi_[fill_[entry_[e].row]++] = {u, entry_[e].weight};

  view_ = {n_unique,
           n_singles,
           n_empty,
           single_start_.data(),
           single_value_.data(),
           single_least_.data(),
           single_most_.data(),
           n_multi,
           multi_start_.data(),
           multi_.data(),
           entry_start_.data(),
           entry_.data()};
}

}  // namespace superlaw

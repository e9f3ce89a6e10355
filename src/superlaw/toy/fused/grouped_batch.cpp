#include "grouped_batch.hpp"

namespace superlaw {

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

  statistic_.resize(singles + n_multi);
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
           entry_.data(),
           statistic_.data()};
}

}  // namespace superlaw

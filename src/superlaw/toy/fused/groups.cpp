#include "groups.hpp"

#include <algorithm>
#include <cmath>

namespace superlaw {

Groups::Groups(const Kernels& kernels, const Distribution& distribution)
    : kernels_(kernels), batch_(distribution.batch),
      key_{uint32_t(distribution.seed), uint32_t(distribution.seed >> 32)},
      threshold_(uint64_t(std::ldexp(distribution.correlation, 32))), group_of_(distribution.groups) {
  const int n = int(group_of_.size()), n_groups = 1 + *std::max_element(group_of_.begin(), group_of_.end());
  member_start_.assign(n_groups + 1, 0);
  for (const int group : group_of_) ++member_start_[group + 1];
  for (int g = 0; g < n_groups; ++g) member_start_[g + 1] += member_start_[g];
  std::vector<int> fill(member_start_.begin(), member_start_.end() - 1);
  members_.resize(n);
  for (int i = 0; i < n; ++i) members_[fill[group_of_[i]]++] = {i, distribution.frequencies[i]};
  for (int g = 0; g < n_groups; ++g) {
    const auto begin = members_.begin() + member_start_[g], end = members_.begin() + member_start_[g + 1];
    std::stable_sort(begin, end, [](const Member& a, const Member& b) { return a.p > b.p; });
    mean_jump_.push_back(begin == end ? mean_jump(0) : mean_jump(begin->p));
  }
  for (int& group : group_of_) group *= kStreams;
}

void Groups::look_up(uint64_t step, int count) {
  const uint32_t counter[4] = {0, uint32_t(step), uint32_t(step >> 32), kShared};
  share_.resize(count);
  uniform_.resize(count);
  kernels_.chances(key_, counter, count, sample_.data(), group_.data(), share_.data(), uniform_.data());
}

void Groups::join(uint64_t step, Exponentials& exponentials, Entries& entries) {
  sample_ = entries.sample;  // first the independent draws ...
  group_.clear();
  for (size_t i = 0; i < group_of_.size(); ++i)
    group_.insert(group_.end(), entries.start[i + 1] - entries.start[i], group_of_[i]);
  const int independent = int(sample_.size());
  for (size_t g = 0; g < mean_jump_.size(); ++g)  // ... then those that a group may share
    jump_through(batch_, mean_jump_[g], exponentials, [&](int found) {
      sample_.push_back(found);
      group_.push_back(int(g * kStreams));
    });
  look_up(step, int(sample_.size()));
  fire(independent);
  merge(entries);
}

void Groups::fire(int from) {
  fired_.clear();
  for (size_t k = from; k < sample_.size(); ++k) {
    if (share_[k] >= threshold_) continue;
    const int g = group_[k] / int(kStreams);
    const double U = (uniform_[k] + 0.5) * (1.0 / 4294967296.0) * members_[member_start_[g]].p;
    for (int member = member_start_[g]; member < member_start_[g + 1] && U < members_[member].p; ++member)
      fired_.push_back({members_[member].feature, sample_[k]});
  }
  // By feature; samples stay ascending.
  fired_start_.assign(group_of_.size() + 2, 0);
  for (const Fired& fired : fired_) ++fired_start_[fired.feature + 2];
  for (size_t i = 1; i < fired_start_.size(); ++i) fired_start_[i] += fired_start_[i - 1];
  fired_sample_.resize(fired_.size());
  for (const Fired& fired : fired_) fired_sample_[fired_start_[fired.feature + 1]++] = fired.sample;
}

// The independent draws with S = 0 and what fired, by feature, samples ascending. No sample is in both.
void Groups::merge(Entries& entries) {
  merged_.clear();
  for (size_t i = 0; i < group_of_.size(); ++i) {
    int fired = fired_start_[i];
    const int last = fired_start_[i + 1], begin = entries.start[i];
    entries.start[i] = int(merged_.size());
    for (int k = begin; k < entries.start[i + 1]; ++k) {
      if (share_[k] < threshold_) continue;
      for (; fired < last && fired_sample_[fired] < sample_[k]; ++fired) merged_.push_back(fired_sample_[fired]);
      merged_.push_back(sample_[k]);
    }
    merged_.insert(merged_.end(), fired_sample_.begin() + fired, fired_sample_.begin() + last);
  }
  entries.start.back() = int(merged_.size());
  entries.sample.swap(merged_);
}

}  // namespace superlaw

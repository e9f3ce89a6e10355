// Features that fire together (docs/science.md#variants): with probability c, drawn for each sample
// and group, S(sample, group) = 1 and all members share one uniform U (u_i = 1 where U < p_i); else
// they are independent. Sparse: only samples where something may fire are looked at.
//   S = 0   the independent draws of each feature, kept where S = 0
//   S = 1   jumps at the rate of the group's largest p, kept where S = 1: there U < largest p, and is
//           uniform below it
// S and U are words of Philox at (seed, step, sample, group), so that both kinds of draws see one S.
#pragma once
#include <cstdint>
#include <vector>

#include "draws.hpp"

namespace superlaw {

class Groups {
 public:
  Groups(const Kernels& kernels, const Distribution& distribution);
  // Takes from independent draws what S = 1 has overruled, and adds what fired together.
  void join(uint64_t step, Exponentials& exponentials, Entries& entries);

 private:
  struct Member {
    int feature;
    double p;
  };
  struct Fired {
    int feature, sample;
  };
  void look_up(uint64_t step, int count);  // S and the words of U at sample_, group_
  void fire(int from);                     // the shared draws from index `from` on
  void merge(Entries& entries);

  const Kernels& kernels_;
  int batch_;
  uint32_t key_[2];
  uint64_t threshold_;             // S = 1 where a word is below it
  std::vector<int> group_of_;      // (n), times kStreams: what it adds to the counter
  std::vector<int> member_start_;  // (groups + 1)
  std::vector<Member> members_;    // by group, p descending
  std::vector<double> mean_jump_;  // (groups) of the largest p
  std::vector<int> sample_, group_;
  std::vector<uint32_t> share_, uniform_;
  std::vector<Fired> fired_;
  std::vector<int> fired_start_, fired_sample_, merged_;
};

}  // namespace superlaw

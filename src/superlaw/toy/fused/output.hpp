// Where an activation and a loss meet the kernels: e = dL/dz of one output, and nothing else.
//
// A loss is a sum over a sample's outputs. The kernels take e and the loss as if x were 0 at the
// output, for whole vectors, and then correct the few entries where it is not. An output type says
//   kSparse     e is 0 where z <= 0 and x = 0: only the other outputs need a gradient
//   kSymmetric  G = W W^T (one tied W): its blocks may serve both of their sides
//   kScale      dL/dz = kScale e
//   Statistic   what e needs to know of all the outputs of its sample (cross-entropy: the largest
//               z and the log-sum-exp, from a first pass over the tiles); here nothing
#pragma once
#include "vector.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

struct Correction {
  float error, loss;  // what the input x takes from e, and adds to the loss
};

// y = relu(z), L = ||y - x||^2 (docs/science.md#symbols): e = (y - x) [z > 0].
struct ReluSquaredError {
  static constexpr bool kSparse = true, kSymmetric = true;
  static constexpr float kScale = 2;
  struct Statistic {};

  static Vec error(Vec z, Statistic) { return relu(z); }
  static Vec loss(Vec, Vec e, Statistic) { return e * e; }
  static Correction correct(float z, float x, Statistic) {  // (y - x)^2 = y^2 - 2 x y + x^2
    const float active = z > 0 ? x : 0;
    return {active, x * x - 2 * active * z};
  }
};

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

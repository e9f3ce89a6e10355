// Where an activation and a loss meet the kernels: e = dL/dz of one output, and nothing else.
//
// A loss is a sum over a sample's outputs. The kernels take e and the loss as if x were 0 at the
// output, for whole vectors, and then correct the few entries where it is not. An output type says
//   kSparse       e is 0 where z <= 0 and x = 0: only the other outputs need a gradient
//   kErrorIsZ     `correct` may be given e in place of z
//   kCountsEmpty  the loss is a mean over all samples, not over those that have an active feature
//   kScale        dL/dz = kScale e
//   kPadding      b of the columns past the last feature, where W is 0
//   Statistic     what e needs to know of all the outputs of its sample, from a first pass over
//                 the tiles (kFirstPass, first_pass.hpp)
#pragma once
#include "functions.hpp"
#include "kernels.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

struct Correction {
  float error, loss;  // what the input x takes from e, and adds to the loss
};

// L = ||y - x||^2: what its activations share.
struct SquaredError {
  static constexpr bool kCountsEmpty = true, kFirstPass = false;
  static constexpr float kScale = 2, kPadding = 0;
  struct Statistic {};
  static Statistic statistic(const SampleStatistic*, int) { return {}; }
};

// y = relu(z) (docs/science.md#symbols): e = (y - x) [z > 0].
struct ReluSquaredError : SquaredError {
  static constexpr bool kSparse = true, kErrorIsZ = true;

  static Vec error(Vec z, Statistic) { return relu(z); }
  static Vec loss(Vec, Vec e, Statistic) { return e * e; }
  static Correction correct(float z, float x, Statistic) {  // (y - x)^2 = y^2 - 2 x y + x^2
    const float active = z > 0 ? x : 0;
    return {active, x * x - 2 * active * z};
  }
};

// y = z: e = y - x.
struct LinearSquaredError : SquaredError {
  static constexpr bool kSparse = false, kErrorIsZ = true;

  static Vec error(Vec z, Statistic) { return z; }
  static Vec loss(Vec, Vec e, Statistic) { return e * e; }
  static Correction correct(float z, float x, Statistic) { return {x, x * x - 2 * x * z}; }
};

// y = z Phi(z), Phi the normal distribution: e = (y - x) (Phi(z) + z phi(z)).
struct GeluSquaredError : SquaredError {
  static constexpr bool kSparse = false, kErrorIsZ = false;

  static Vec error(Vec z, Statistic) {
    const Normal at = normal(z);
    return z * at.distribution * (at.distribution + z * at.density);
  }
  static Vec loss(Vec z, Vec, Statistic) {
    const Vec y = z * normal(z).distribution;
    return y * y;
  }
  static Correction correct(float z, float x, Statistic) {
    const Normal at = normal(splat(z));
    const float y = z * at.distribution[0], slope = at.distribution[0] + z * at.density[0];
    return {x * slope, x * x - 2 * x * y};
  }
};

// L = -sum_j t_j log softmax(z)_j, t = x / sum x, which sums to 1: e = softmax(z) - t, and
// L = sum_j t_j (log sum exp z - z_j), to which only the entries with x > 0 add.
struct CrossEntropy {
  static constexpr bool kSparse = false, kErrorIsZ = false, kCountsEmpty = false, kFirstPass = true;
  static constexpr float kScale = 1, kPadding = kLowest;
  using Statistic = SampleStatistic;

  static Statistic statistic(const SampleStatistic* of, int sample) { return of[sample]; }
  static Vec error(Vec z, Statistic of) { return exponential(z - of.log_sum); }
  static Vec loss(Vec, Vec, Statistic) { return Vec{}; }
  static Correction correct(float z, float x, Statistic of) {
    const float t = x * of.share;
    return {t, t * (of.log_sum - z)};
  }
};

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

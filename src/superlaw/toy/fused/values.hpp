// The value v of an active feature: quantiles of distributions of mean 1.
#pragma once
#include "kernels.hpp"
#include "random.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

// sqrt(pi) erfinv(u), as u Q(s) with s linear in sqrt(4 - log(1 - u^2)): Q fitted to 1e-8 of the
// value for u up to 1 - 2^-24, the largest of `uniforms`.
inline float half_normal(float u) {
  const double w = minus_log((1 - double(u)) * (1 + double(u)));
  const double s = (2 * __builtin_sqrt(w + 4) - 6.6) / 2.6;
  constexpr double Q[] = {4.35865024525549,    2.86711660686921,    -0.208741597062556,  0.00136380815654157,
                          0.13177366043952,    -0.167317646957514,  0.100464002064481,   0.00732880166836468,
                          -0.077325515178846,  0.0757412574029309,  -0.0118433685103533, -0.0535452808745547,
                          0.0405143015103267,  0.0160538254428587,  -0.0221817942055305, -0.00174679383774573,
                          0.00448097435287917};
  double sum = 0;
  for (int k = 16; k >= 0; --k) sum = sum * s + Q[k];
  return float(u * sum);
}

// In place: from u of (0, 1) to the v below which a share u of the distribution lies.
inline void values(Values of, int count, float* u) {
  switch (of) {
    case Values::uniform:
      for (int k = 0; k < count; ++k) u[k] *= 2;
      break;
    case Values::exponential:
      for (int k = 0; k < count; ++k) u[k] = float(minus_log(1 - double(u[k])));
      break;
    case Values::half_normal:
      for (int k = 0; k < count; ++k) u[k] = half_normal(u[k]);
      break;
    case Values::constant:
      for (int k = 0; k < count; ++k) u[k] = 1;
      break;
  }
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

// exp and the normal distribution on vectors of floats, to a few roundings. NaN stays NaN.
#pragma once
#include "vector.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

// e^x for x <= 88; about 1e-38 for x below -87. x = k log 2 + r: 2^k times the series of e^r.
inline Vec exponential(Vec x) {
  x = maximum(splat(-87.0f), x);
  const float round = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  const Vec shifted = x * 1.44269504f + round, k = shifted - round;
  const Vec r = (x - k * 0.693145752f) - k * 1.42860677e-6f;  // log 2 in two parts
  Vec series = splat(1.0f / 5040);
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  const UVec exponent = ((UVec)shifted << 23) + (127u << 23);  // the whole number is in the low bits
  return series * (Vec)exponent;
}

struct Normal {
  Vec distribution, density;  // Phi(z) = erfc(-z / sqrt 2) / 2 and phi(z) = Phi'(z)
};

// erfc(y) = exp(-y^2) t P(t) with t = 1 / (1 + 0.4 y) for y >= 0: P fitted to 1.3e-7 of the value.
inline Normal normal(Vec z) {
  const Vec size = maximum(-z, z);
  const Vec t = 1.0f / (1.0f + size * (0.4f * 0.707106781f));
  const Vec bell = exponential(z * z * -0.5f);
  Vec P = splat(0.0500630266f);
  P = P * t - 0.182006586f;
  P = P * t + 0.167404766f;
  P = P * t - 0.00389799559f;
  P = P * t + 0.140411218f;
  P = P * t + 0.168903273f;
  P = P * t + 0.207769733f;
  P = P * t + 0.22567712f;
  P = P * t + 0.225675567f;
  const Vec tail = 0.5f * bell * (t * P);  // Phi(-|z|)
  return {z > 0 ? 1.0f - tail : tail, 0.398942280f * bell};
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

// The start of a run as the package draws it (superlaw.toy.protocol.initial_state): NumPy's PCG64, seeded through
// its SeedSequence, and its ziggurat for normal numbers, so that a seed gives the same model here and there.
// The algorithms: M. E. O'Neill, PCG (2014), the generator and the seeding; Marsaglia and Tsang (2000), the ziggurat.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

namespace playground {

// 128 bits of state and the stream's increment from a seed below 2^64.
class Random {
 public:
  explicit Random(uint64_t seed) {
    uint32_t pool[4], words[8];
    mix(seed, pool);
    uint32_t hash = 0x8b51f9dd;
    for (int k = 0; k < 8; ++k) words[k] = hashed(pool[k % 4], hash, 0x58f38ded);
    const auto whole = [&](int k) { return uint64_t(words[2 * k]) | uint64_t(words[2 * k + 1]) << 32; };
    const auto pair = [&](int k) { return Word(whole(k)) << 64 | whole(k + 1); };
    increment_ = pair(2) << 1 | 1;
    state_ = 0;
    next();
    state_ += pair(0);
    next();
  }

  uint64_t next() {
    state_ = state_ * (Word(2549297995355413924ULL) << 64 | 4865540595714422341ULL) + increment_;
    const uint64_t high = uint64_t(state_ >> 64), low = uint64_t(state_), folded = high ^ low;
    const int turn = int(high >> 58);
    return folded >> turn | folded << ((64 - turn) & 63);
  }

  double uniform() { return double(next() >> 11) * (1.0 / 9007199254740992.0); }

 private:
  using Word = unsigned __int128;

  static uint32_t hashed(uint32_t value, uint32_t& hash, uint32_t multiplier) {
    value ^= hash;
    hash *= multiplier;
    value *= hash;
    return value ^ value >> 16;
  }

  static void mix(uint64_t seed, uint32_t (&pool)[4]) {
    uint32_t hash = 0x43b0d7e5;
    for (int k = 0; k < 4; ++k) pool[k] = hashed(k < 2 ? uint32_t(seed >> (32 * k)) : 0, hash, 0x931e8875);
    for (int from = 0; from < 4; ++from)
      for (int to = 0; to < 4; ++to) {
        if (from == to) continue;
        const uint32_t mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * hashed(pool[from], hash, 0x931e8875);
        pool[to] = mixed ^ mixed >> 16;
      }
  }

  Word state_ = 0, increment_ = 0;
};

class Normal {
 public:
  explicit Normal(uint64_t seed) : random_(seed) {
    // 256 strips of equal area under exp(-x^2/2): x[255] = kTail is the edge of the lowest
    double x[256];
    x[255] = kTail;
    for (int k = 254; k > 0; --k) x[k] = std::sqrt(-2 * std::log(kArea / x[k + 1] + height(x[k + 1])));
    x[0] = kArea / height(kTail);
    for (int k = 0; k < 256; ++k) {
      const double inner = k == 0 ? kTail : k == 1 ? 0 : x[k - 1];
      scale_[k] = x[k] / kBits;
      inside_[k] = uint64_t(inner / x[k] * kBits);
      height_[k] = k == 0 ? 1 : height(x[k]);
    }
  }

  double operator()() {
    for (;;) {
      const uint64_t bits = random_.next(), size = bits >> 9 & 0xfffffffffffffULL;
      const int strip = int(bits & 0xff);
      const double sign = bits >> 8 & 1 ? -1 : 1, x = double(size) * scale_[strip];
      if (size < inside_[strip]) return sign * x;
      if (strip == 0) return tail(size);
      const double u = random_.uniform();
      if ((height_[strip - 1] - height_[strip]) * u + height_[strip] < height(x)) return sign * x;
    }
  }

 private:
  static constexpr double kTail = 3.6541528853610088, kArea = 0.004928673233974658, kBits = 4503599627370496.0;
  static double height(double x) { return std::exp(-0.5 * x * x); }

  double tail(uint64_t size) {
    for (;;) {
      const double xx = -std::log1p(-random_.uniform()) / kTail, yy = -std::log1p(-random_.uniform());
      if (yy + yy > xx * xx) return size >> 8 & 1 ? -(kTail + xx) : kTail + xx;
    }
  }

  Random random_;
  double scale_[256], height_[256];
  uint64_t inside_[256];
};

// W ~ N(0, 1/m) (n, m), then b ~ N(0, bias_std^2) (n).
inline void draw_start(int n, int m, uint64_t seed, double bias_std, std::vector<float>& W, std::vector<float>& b) {
  Normal normal(seed);
  const double norm = 1 / std::sqrt(double(m));
  W.resize(size_t(n) * m);
  b.resize(n);
  for (float& w : W) w = float(normal() * norm);
  for (float& x : b) x = float(0.0 + bias_std * normal());
}

}  // namespace playground

// Philox4x32-10 ([Philox]): the n-th number of a stream is a function of
// (key, counter), so a batch depends on (seed, step) only, never on threads or history.
#pragma once
#include <cstdint>
#include <cstring>

namespace superlaw::SUPERLAW_ISA {

constexpr int kBlock = 16;  // counters advanced together, so that the compiler vectorises

// out[4][kBlock]: four words for each of kBlock counters, which differ in their first and last words.
inline void philox(const uint32_t key[2], const uint32_t counter[4], const uint32_t (&first)[kBlock],
                   const uint32_t (&last)[kBlock], uint32_t (&out)[4][kBlock]) {
  uint32_t x0[kBlock], x1[kBlock], x2[kBlock], x3[kBlock];
  for (int l = 0; l < kBlock; ++l) {
    x0[l] = counter[0] + first[l];
    x1[l] = counter[1];
    x2[l] = counter[2];
    x3[l] = counter[3] + last[l];
  }
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    for (int l = 0; l < kBlock; ++l) {
      const uint64_t p0 = uint64_t(0xD2511F53u) * x0[l];
      const uint64_t p1 = uint64_t(0xCD9E8D57u) * x2[l];
      x0[l] = uint32_t(p1 >> 32) ^ x1[l] ^ k0;
      x2[l] = uint32_t(p0 >> 32) ^ x3[l] ^ k1;
      x1[l] = uint32_t(p1);
      x3[l] = uint32_t(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  std::memcpy(out[0], x0, sizeof x0);
  std::memcpy(out[1], x1, sizeof x1);
  std::memcpy(out[2], x2, sizeof x2);
  std::memcpy(out[3], x3, sizeof x3);
}

// The same for consecutive counters.
inline void philox(const uint32_t key[2], const uint32_t counter[4], uint32_t offset, uint32_t (&out)[4][kBlock]) {
  uint32_t first[kBlock], last[kBlock] = {};
  for (int l = 0; l < kBlock; ++l) first[l] = offset + l;
  philox(key, counter, first, last, out);
}

// -log(u) for u in (0, 1], to about 1e-12: u = 2^e f with f near 1, log f by the series of atanh.
inline double minus_log(double u) {
  uint64_t bits;
  std::memcpy(&bits, &u, 8);
  const uint64_t shifted = bits - 0x3fe6a09e667f3bcdULL;  // bits of sqrt(1/2)
  const int32_t e = int32_t(shifted >> 32) >> 20;
  const uint64_t f_bits = bits - (uint64_t(uint32_t(e)) << 52);
  double f;
  std::memcpy(&f, &f_bits, 8);
  const double s = (f - 1) / (f + 1), q = s * s;
  const double series =
      1 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11 + q * (1.0 / 13))))));
  return -(e * 0.69314718055994530942 + 2 * s * series);
}

// count is a multiple of 4 * kBlock; a block of four numbers advances counter[0] by one.
inline void exponentials(const uint32_t key[2], const uint32_t counter[4], int count, double* out) {
  uint32_t words[4][kBlock];
  for (int done = 0; done < count; done += 4 * kBlock) {
    philox(key, counter, uint32_t(done / 4), words);
    for (int w = 0; w < 4; ++w)
      for (int l = 0; l < kBlock; ++l)
        out[done + w * kBlock + l] = minus_log((words[w][l] + 0.5) * (1.0 / 4294967296.0));
  }
}

// Uniform on (0, 1), 24 bits.
inline void uniforms(const uint32_t key[2], const uint32_t counter[4], int count, float* out) {
  uint32_t words[4][kBlock];
  for (int done = 0; done < count; done += 4 * kBlock) {
    philox(key, counter, uint32_t(done / 4), words);
    for (int w = 0; w < 4; ++w)
      for (int l = 0; l < kBlock; ++l)
        out[done + w * kBlock + l] = (float(int32_t(words[w][l] >> 9)) + 0.5f) * (1.0f / 8388608.0f);
  }
}

// Two words for each counter whose first and last words grow by first[i] and last[i].
inline void chances(const uint32_t key[2], const uint32_t counter[4], int count, const int* first, const int* last,
                    uint32_t* one, uint32_t* other) {
  uint32_t from[kBlock] = {}, to[kBlock] = {}, words[4][kBlock];
  for (int done = 0; done < count; done += kBlock) {
    const int here = count - done < kBlock ? count - done : kBlock;
    for (int l = 0; l < here; ++l) {
      from[l] = uint32_t(first[done + l]);
      to[l] = uint32_t(last[done + l]);
    }
    philox(key, counter, from, to, words);
    for (int l = 0; l < here; ++l) {
      one[done + l] = words[0][l];
      other[done + l] = words[1][l];
    }
  }
}

}  // namespace superlaw::SUPERLAW_ISA

// A fixed-width vector of floats, chosen by the flags this file is compiled with.
// Everything here lives in a namespace of its own for each instruction set, and uses no
// template of the standard library, so that the linker can never mix two instruction sets.
#pragma once
#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

// Loops over registers must be unrolled, or the compiler keeps the registers in memory.
#define SUPERLAW_UNROLL _Pragma("GCC unroll 32")

namespace superlaw::SUPERLAW_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kAccumulators = 24;  // of 32 registers; FMA takes a broadcast straight from memory
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kAccumulators = 8;  // of 16 registers
#else
constexpr int kLanes = 4;
constexpr int kAccumulators = 8;
#endif

constexpr int kVectors = 4;               // vectors in a row of a tile
constexpr int kTile = kVectors * kLanes;  // columns of a tile

typedef float Vec __attribute__((vector_size(kLanes * sizeof(float)), aligned(kLanes * sizeof(float)), may_alias));
typedef int IVec __attribute__((vector_size(kLanes * sizeof(int))));
typedef unsigned UVec __attribute__((vector_size(kLanes * sizeof(int))));

inline Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }
inline void store(float* p, float x) { *p = x; }
inline Vec load_as(Vec, const float* p) { return load(p); }  // for code that is written for both
inline float load_as(float, const float* p) { return *p; }
inline Vec splat(float x) { return x - Vec{}; }

// max(z, 0) that keeps a NaN: a diverged run must not look like a good one.
inline Vec relu(Vec z) {
#if defined(__AVX512F__)
  return (Vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)z);
#elif defined(__AVX2__)
  return (Vec)_mm256_max_ps(_mm256_setzero_ps(), (__m256)z);
#elif defined(__SSE2__)
  return (Vec)_mm_max_ps(_mm_setzero_ps(), (__m128)z);
#elif defined(__wasm_simd128__)
  return (Vec)wasm_f32x4_pmax((v128_t)z, wasm_f32x4_const_splat(0));  // 0 > z ? 0 : z
#else
  const Vec zero = {};
  return zero > z ? zero : z;
#endif
}

inline Vec maximum(Vec a, Vec b) {
#if defined(__AVX512F__)
  return (Vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (Vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (Vec)_mm_max_ps((__m128)a, (__m128)b);
#else
  return a > b ? a : b;
#endif
}

// A bit for each lane with z > 0, or NaN.
inline uint64_t positive(Vec z) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)z, _mm512_setzero_ps(), _CMP_NLE_UQ);
#elif defined(__AVX2__)
  return unsigned(_mm256_movemask_ps(_mm256_cmp_ps((__m256)z, _mm256_setzero_ps(), _CMP_NLE_UQ)));
#elif defined(__SSE2__)
  return unsigned(_mm_movemask_ps(_mm_cmpnle_ps((__m128)z, _mm_setzero_ps())));
#elif defined(__wasm_simd128__)
  return wasm_i32x4_bitmask(wasm_v128_not(wasm_f32x4_le((v128_t)z, wasm_f32x4_const_splat(0))));
#else
  uint64_t bits = 0;
  for (int l = 0; l < kLanes; ++l) bits |= uint64_t(!(z[l] <= 0)) << l;
  return bits;
#endif
}

inline Vec square_root(Vec x) {
  Vec out;
  SUPERLAW_UNROLL
  for (int l = 0; l < kLanes; ++l) out[l] = __builtin_sqrtf(x[l]);
  return out;
}

inline float square_root(float x) { return __builtin_sqrtf(x); }

inline float sum(Vec x) {
  float total = 0;
  SUPERLAW_UNROLL
  for (int l = 0; l < kLanes; ++l) total += x[l];
  return total;
}

// a0 b0 a1 b1 ... from the lower and from the upper halves of a and b.
#if defined(__clang__) || __GNUC__ >= 12
#define SUPERLAW_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SUPERLAW_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, IVec{__VA_ARGS__})
#endif
inline void interleave(Vec a, Vec b, Vec& low, Vec& high) {
#if defined(__AVX512F__)
  low = SUPERLAW_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  high = SUPERLAW_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  low = SUPERLAW_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  high = SUPERLAW_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  low = SUPERLAW_SHUFFLE(a, b, 0, 4, 1, 5);
  high = SUPERLAW_SHUFFLE(a, b, 2, 6, 3, 7);
#endif
}

// kLanes vectors as the rows of a square block, turned into its columns: the perfect shuffle
// of rows i and i + kLanes/2, log2(kLanes) times.
inline void transpose(Vec (&rows)[kLanes]) {
  Vec other[kLanes];
  SUPERLAW_UNROLL
  for (int width = kLanes; width > 1; width /= 2) {
    SUPERLAW_UNROLL
    for (int i = 0; i < kLanes / 2; ++i) interleave(rows[i], rows[i + kLanes / 2], other[2 * i], other[2 * i + 1]);
    SUPERLAW_UNROLL
    for (int i = 0; i < kLanes; ++i) rows[i] = other[i];
  }
}

}  // namespace superlaw::SUPERLAW_ISA

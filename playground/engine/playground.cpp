// The engine's C interface to JavaScript: src/engine.ts is its other side, and trusts nothing to outlive a call.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "start.hpp"
#include "trainer.hpp"

#define EXPORT extern "C" __attribute__((visibility("default"), used))

using namespace superlaw;

// Memory that is not there ends the program (a trap, which JavaScript catches): there is nothing to unwind to.
extern "C" void* __cxa_allocate_exception(size_t) noexcept { __builtin_trap(); }
extern "C" void __cxa_throw(void*, void*, void (*)(void*)) { __builtin_trap(); }

struct Training {
  int n, m;
  uint64_t done = 0;
  Sampler sampler;
  Trainer trainer;
  Optimizer optimizer;
  std::vector<double> rates;  // (steps) learning rates, of W and of b
  std::vector<float> losses;  // (steps)
  std::vector<float> W, b;    // as they were last looked at
  std::vector<uint8_t> gram;  // (n, n)

  Training(int n, int m, int steps, const Distribution& data, double weight_decay, double bias_std)
      : n(n), m(m), sampler(baseline_kernels, data), trainer(baseline_kernels, {n, m}, 1, Products::automatic),
        rates(steps), losses(steps) {
    optimizer.weight_decay = weight_decay;
    playground::draw_start(n, m, data.seed, bias_std, W, b);
    trainer.set_state({W.data(), b.data(), nullptr});
  }
};

EXPORT double* make_doubles(int count) { return static_cast<double*>(std::malloc(count * sizeof(double))); }
EXPORT void free_doubles(double* p) { std::free(p); }

// A run before its first step; frequencies are (n). Its learning rates are then written to rates_of.
EXPORT Training* start(int n, int m, int steps, int batch, uint32_t seed, double weight_decay, double bias_std,
                       const double* frequencies) {
  const Distribution data = {{frequencies, frequencies + n}, batch, seed};
  return new Training(n, m, steps, data, weight_decay, bias_std);
}

EXPORT void end(Training* training) { delete training; }
EXPORT double* rates_of(Training* training) { return training->rates.data(); }
EXPORT float* losses_of(Training* training) { return training->losses.data(); }
EXPORT float* W_of(Training* training) { return training->W.data(); }
EXPORT float* b_of(Training* training) { return training->b.data(); }

// Takes so many steps at most; returns how many are done in all.
EXPORT int advance(Training* training, int steps) {
  Training& t = *training;
  for (; steps > 0 && t.done < t.rates.size(); --steps, ++t.done)
    t.losses[t.done] = float(t.trainer.step(t.sampler, t.done, t.optimizer, t.rates[t.done], t.rates[t.done]));
  return int(t.done);
}

// Copies the state to where W_of and b_of point.
EXPORT void look(Training* training) { training->trainer.get_state({training->W.data(), training->b.data(), nullptr}); }

// W W^T as bytes, (n, n): 128 is 0, and `unit` bytes are 1. Of the state last looked at.
EXPORT uint8_t* gram_of(Training* training, float unit) {
  Training& t = *training;
  t.gram.resize(size_t(t.n) * t.n);
  for (int i = 0; i < t.n; ++i)
    for (int j = 0; j <= i; ++j) {
      const float *a = &t.W[size_t(i) * t.m], *c = &t.W[size_t(j) * t.m];
      float product = 0;
      for (int k = 0; k < t.m; ++k) product += a[k] * c[k];
      const float byte = std::fmin(std::fmax(128.5f + unit * product, 0.0f), 255.0f);  // fmax: a NaN is 0
      t.gram[size_t(i) * t.n + j] = t.gram[size_t(j) * t.n + i] = uint8_t(byte);
    }
  return t.gram.data();
}

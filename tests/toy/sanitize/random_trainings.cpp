// Short trainings of random shapes, for the sanitizers (tests/toy/test_sanitizers.py builds this).
//   random_trainings COUNT [THREADS]: every variant of kernels this processor runs, every way to form gradients.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "trainer.hpp"

using namespace superlaw;

static const Kernels& kernels(unsigned k) {
#ifdef SUPERLAW_X86
  __builtin_cpu_init();
  if (k % 3 == 0 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return avx512_kernels;
  if (k % 3 <= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_kernels;
#endif
  (void)k;
  return baseline_kernels;
}

// Trains one model; returns whether its losses are finite or its rates so large that they need not be.
static bool train(unsigned seed, int threads, int64_t& sparse, int64_t& steps) {
  std::mt19937 random(seed);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const int n = draw(0, 9) ? draw(1, 200) : 1, m = draw(0, 9) ? draw(1, 40) : draw(100, 150), batch = draw(1, 200);
  const double density = std::uniform_real_distribution<double>(0.1, 4)(random);
  std::vector<double> p(n);
  for (double& q : p) q = draw(0, 19) ? std::fmin(1, density / n * std::exponential_distribution<double>(1)(random)) : draw(0, 1);
  std::normal_distribution<float> normal;
  std::vector<float> W(size_t(n) * m), b(n);
  for (float& w : W) w = normal(random) / std::sqrt(float(m));
  const float mean_b = float(draw(-2, 0));  // from half of the outputs active to hardly any
  for (float& x : b) x = draw(0, 9) ? mean_b + normal(random) : 0.2f;

  const Kernels& chosen = kernels(seed);
  const Products products = threads > 1 ? (draw(0, 1) ? Products::automatic : Products::sparse) : Products(draw(0, 4));
  Trainer trainer(chosen, n, m, threads, products);
  Sampler sampler(chosen, p, batch, seed);
  trainer.set_state(W.data(), b.data());
  const bool wild = draw(0, 19) == 0;
  bool finite = true;
  for (int t = 0, last = draw(1, 12); t < last; ++t, ++steps)
    finite &= std::isfinite(trainer.step(sampler, t, 1, {0.9, 0.999, 1e-8, draw(0, 1) ? -1.0 : 1.0}, wild ? 1e30 : 0.01, 0.01));
  trainer.get_state(W.data(), b.data());
  sparse += trainer.sparse_steps();
  return finite || wild;
}

int main(int count, char** arguments) {
  const int trainings = count > 1 ? std::atoi(arguments[1]) : 100, threads = count > 2 ? std::atoi(arguments[2]) : 1;
  int64_t sparse = 0, steps = 0;
  for (int k = 0; k < trainings; ++k)
    if (!train(unsigned(k), threads, sparse, steps)) return std::printf("training %d is not finite\n", k), 1;
  std::printf("%d trainings, %lld steps, %lld of them sparse\n", trainings, (long long)steps, (long long)sparse);
}

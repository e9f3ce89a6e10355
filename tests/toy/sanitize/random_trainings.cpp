// Short trainings of random shapes, for the sanitizers (tests/toy/test_sanitizers.py builds this).
//   random_trainings COUNT [THREADS]: every variant of kernels this processor runs, every way to form gradients,
//   and in half of them every variant of the model, its data and its optimiser.
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

// One model of n features and its data, plain or with variants drawn for each choice.
struct Problem {
  Form form;
  Distribution data;
  Optimizer optimizer;

  template <class Draw>
  Problem(int n, int m, std::vector<double> p, int batch, unsigned seed, Draw draw)
      : form{n, m}, data{std::move(p), batch, seed} {
    optimizer.weight_decay = draw(0, 1) ? -1.0 : 1.0;
    if (draw(0, 1)) return;
    form.output = Output(draw(0, kOutputs - 1));
    form.tied = draw(0, 1);
    data.values = Values(draw(0, 3));
    if (draw(0, 1)) {  // groups of any members, some of them of none
      data.correlation = draw(1, 10) / 10.0;
      for (int i = 0; i < n; ++i) data.groups.push_back(draw(0, n / draw(1, 5)));
    }
    optimizer.rule = Rule(draw(0, kRules - 1));
    if (optimizer.rule == Rule::sgd) optimizer.beta1 = 0.1 * draw(0, 9);
    optimizer.unit_rows = draw(0, 1);
    optimizer.learn_bias = draw(0, 1);
  }
};

// Trains one model; returns whether its losses are finite or its rates so large that they need not be.
static bool train(unsigned seed, int threads, int64_t& sparse, int64_t& steps) {
  std::mt19937 random(seed);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const int n = draw(0, 9) ? draw(1, 200) : 1, m = draw(0, 9) ? draw(1, 40) : draw(100, 150), batch = draw(1, 200);
  const double density = std::uniform_real_distribution<double>(0.1, 4)(random);
  std::vector<double> p(n);
  for (double& q : p) q = draw(0, 19) ? std::fmin(1, density / n * std::exponential_distribution<double>(1)(random)) : draw(0, 1);
  std::normal_distribution<float> normal;
  std::vector<float> W(size_t(n) * m), V(size_t(n) * m), b(n);
  for (auto* rows : {&W, &V})
    for (float& w : *rows) w = normal(random) / std::sqrt(float(m));
  const float mean_b = float(draw(-2, 0));  // from half of the outputs active to hardly any
  for (float& x : b) x = draw(0, 9) ? mean_b + normal(random) : 0.2f;

  const Kernels& chosen = kernels(seed);
  const Products products = threads > 1 ? (draw(0, 1) ? Products::automatic : Products::sparse) : Products(draw(0, 4));
  const Problem problem(n, m, p, batch, seed, draw);
  Trainer trainer(chosen, problem.form, threads, products);
  Sampler sampler(chosen, problem.data);
  trainer.set_state({W.data(), b.data(), V.data()});
  const bool wild = draw(0, 19) == 0;
  bool finite = true;
  for (int t = 0, last = draw(1, 12); t < last; ++t, ++steps) {
    const int64_t before = trainer.samples_left_out();
    const double loss = trainer.step(sampler, t, problem.optimizer, wild ? 1e30 : 0.01, 0.01);
    if (trainer.samples_left_out() - before == batch) break;  // a mean over none
    finite &= std::isfinite(loss);
  }
  trainer.get_state({W.data(), b.data(), V.data()});
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

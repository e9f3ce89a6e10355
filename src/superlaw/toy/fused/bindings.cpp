// The Python face of the extension. It trusts its arguments: fused/__init__.py checks them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "trainer.hpp"

namespace nb = nanobind;
using namespace superlaw;

template <class T>
using Array1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Out1 = nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Out2 = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

static std::vector<const Kernels*> variants() {  // those this processor runs, best first
  std::vector<const Kernels*> found;
#ifdef SUPERLAW_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    found.push_back(&avx512_kernels);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2_kernels);
#endif
  found.push_back(&baseline_kernels);
  return found;
}

static const Kernels& variant(const std::string& name) {
  for (const Kernels* kernels : variants())
    if (name.empty() || name == kernels->name) return *kernels;
  throw std::invalid_argument("no kernels named " + name + " on this processor");
}

static Products products(const std::string& name) {
  if (name == "automatic") return Products::automatic;
  if (name == "plain") return Products::plain;
  if (name == "symmetric-gradient") return Products::symmetric_gradient;
  if (name == "symmetric") return Products::symmetric;
  if (name == "sparse") return Products::sparse;
  throw std::invalid_argument("products: automatic, plain, symmetric-gradient, symmetric or sparse, not " + name);
}

static Entries entries_of(Array1<int> start, Array1<int> sample, Array1<float> value) {
  Entries entries;
  entries.start.assign(start.data(), start.data() + start.size());
  entries.sample.assign(sample.data(), sample.data() + sample.size());
  entries.value.assign(value.data(), value.data() + value.size());
  return entries;
}

// A trainer with its sampler, stepping from t = 0.
struct Training {
  Sampler sampler;
  Trainer trainer;
  double loss_scale;
  Optimizer optimizer;
  uint64_t done = 0;

  Training(Array2<float> W, Array1<float> b, Array1<double> frequencies, int batch, uint64_t seed, double loss_scale,
           double beta1, double beta2, double epsilon, double weight_decay, int threads, const std::string& simd,
           const std::string& product_name)
      : sampler(variant(simd), {frequencies.data(), frequencies.data() + frequencies.size()}, batch, seed),
        trainer(variant(simd), int(W.shape(0)), int(W.shape(1)), threads, products(product_name)),
        loss_scale(loss_scale),
        optimizer{beta1, beta2, epsilon, weight_decay} {
    trainer.set_state(W.data(), b.data());
  }

  // As many steps as there are learning rates; writes each step's loss.
  void advance(Array1<double> learning_rates, Array1<double> bias_learning_rates, Out1 losses) {
    nb::gil_scoped_release release;
    for (size_t i = 0; i < losses.size(); ++i)
      losses.data()[i] = float(trainer.step(sampler, done++, loss_scale, optimizer, learning_rates.data()[i],
                                            bias_learning_rates.data()[i]));
  }
};

NB_MODULE(_fused, module) {
  module.def("variants", [] {
    std::vector<std::string> names;
    for (const Kernels* kernels : variants()) names.push_back(kernels->name);
    return names;
  });

  module.def("exponentials", [](uint64_t seed, Out1 out, const std::string& simd) {
    const uint32_t key[2] = {uint32_t(seed), uint32_t(seed >> 32)}, counter[4] = {0, 0, 0, 0};
    std::vector<double> numbers((out.size() + 63) / 64 * 64);
    variant(simd).exponentials(key, counter, int(numbers.size()), numbers.data());
    for (size_t i = 0; i < out.size(); ++i) out.data()[i] = float(numbers[i]);
  });

  module.def("sample", [](Array1<double> frequencies, int batch, uint64_t seed, uint64_t step, const std::string& simd) {
    Sampler sampler(variant(simd), {frequencies.data(), frequencies.data() + frequencies.size()}, batch, seed);
    Entries entries;
    sampler.draw(step, entries);
    return nb::make_tuple(entries.start, entries.sample, entries.value);
  });

  module.def("gradient", [](Array2<float> W, Array1<float> b, Array1<int> start, Array1<int> sample, Array1<float> value,
                            int batch, int threads, const std::string& simd, const std::string& product_name, Out2 dW,
                            Out1 db) {
    Trainer trainer(variant(simd), int(W.shape(0)), int(W.shape(1)), threads, products(product_name));
    trainer.set_state(W.data(), b.data());
    return trainer.gradient(entries_of(start, sample, value), batch, dW.data(), db.data());
  });

  module.def("peak_flops", [](const std::string& simd, double seconds) {
    const Kernels& kernels = variant(simd);
    double best = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
      const auto from = std::chrono::steady_clock::now();
      const double operations = kernels.multiply_adds(1 << 18);
      const auto to = std::chrono::steady_clock::now();
      best = std::max(best, operations / std::chrono::duration<double>(to - from).count());
      if (std::chrono::duration<double>(to - begin).count() > seconds) return best;
    }
  });

  nb::class_<Training>(module, "Training")
      .def(nb::init<Array2<float>, Array1<float>, Array1<double>, int, uint64_t, double, double, double, double, double,
                    int, const std::string&, const std::string&>(),
           nb::arg("W"), nb::arg("b"), nb::arg("frequencies"), nb::arg("batch"), nb::arg("seed"), nb::arg("loss_scale"),
           nb::arg("beta1"), nb::arg("beta2"), nb::arg("epsilon"), nb::arg("weight_decay"), nb::arg("threads"),
           nb::arg("simd"), nb::arg("products"))
      .def("advance", &Training::advance)
      .def("sparse_steps", [](const Training& training) { return training.trainer.sparse_steps(); })
      .def("state", [](const Training& training, Out2 W, Out1 b) { training.trainer.get_state(W.data(), b.data()); });
}

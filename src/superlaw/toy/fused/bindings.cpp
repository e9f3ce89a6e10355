// The Python face of the extension. It trusts its arguments: fused/__init__.py checks them.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <optional>
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

// The place of a name in the list of an enumeration's names.
template <class Enumeration>
static Enumeration chosen(const std::string& name, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("no choice named " + name);
  return Enumeration(found - names.begin());
}

// Of a training, as Python sets it field by field; the defaults are those of RunSpec.
struct Settings {
  std::string output = "relu", optimizer = "adam";
  bool tied = true;
  Optimizer of_optimizer;
  int threads = 1;
  std::string simd, products = "automatic";

  Form form(size_t n, size_t m) const {
    return {int(n), int(m), chosen<Output>(output, {"relu", "linear", "gelu", "cross-entropy"}), tied};
  }
  Trainer trainer(size_t n, size_t m) const {
    return {variant(simd), form(n, m), threads,
            chosen<Products>(products, {"automatic", "plain", "symmetric-gradient", "symmetric", "sparse"})};
  }
  Optimizer rule() const {
    Optimizer whole = of_optimizer;
    whole.rule = chosen<Rule>(optimizer, {"adam", "sgd"});
    return whole;
  }
};

static Distribution distribution(Array1<double> frequencies, int batch, uint64_t seed, const std::string& values,
                                 double correlation, std::optional<Array1<int>> groups) {
  Distribution made = {{frequencies.data(), frequencies.data() + frequencies.size()}, batch, seed};
  made.values = chosen<Values>(values, {"uniform", "exponential", "half-normal", "constant"});
  made.correlation = correlation;
  if (groups) made.groups.assign(groups->data(), groups->data() + groups->size());
  return made;
}

template <class Number, class Matrix, class Vector>
static Parts<Number> parts(const Matrix& W, const Vector& b, const std::optional<Matrix>& V) {
  return {W.data(), b.data(), V ? V->data() : nullptr};
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
  Optimizer optimizer;
  uint64_t done = 0;

  Training(Array2<float> W, Array1<float> b, std::optional<Array2<float>> V, const Distribution& data,
           const Settings& settings)
      : sampler(variant(settings.simd), data), trainer(settings.trainer(W.shape(0), W.shape(1))),
        optimizer(settings.rule()) {
    trainer.set_state(parts<const float>(W, b, V));
  }

  // As many steps as there are learning rates; writes each step's loss.
  void advance(Array1<double> learning_rates, Array1<double> bias_learning_rates, Out1 losses) {
    nb::gil_scoped_release release;
    for (size_t i = 0; i < losses.size(); ++i)
      losses.data()[i] =
          float(trainer.step(sampler, done++, optimizer, learning_rates.data()[i], bias_learning_rates.data()[i]));
  }
};

static void bind_settings(nb::module_& module) {
  nb::class_<Distribution>(module, "Distribution")
      .def("__init__",
           [](Distribution* made, Array1<double> frequencies, int batch, uint64_t seed, const std::string& values,
              double correlation, std::optional<Array1<int>> groups) {
             new (made) Distribution(distribution(frequencies, batch, seed, values, correlation, groups));
           },
           nb::arg("frequencies"), nb::arg("batch"), nb::arg("seed"), nb::arg("values") = "uniform",
           nb::arg("correlation") = 0.0, nb::arg("groups") = nb::none());
  nb::class_<Settings> settings(module, "Settings");
  settings.def(nb::init<>())
      .def_rw("output", &Settings::output)
      .def_rw("optimizer", &Settings::optimizer)
      .def_rw("tied", &Settings::tied)
      .def_rw("threads", &Settings::threads)
      .def_rw("simd", &Settings::simd)
      .def_rw("products", &Settings::products);
#define OF_OPTIMIZER(field)                                                      \
  settings.def_prop_rw(#field, [](const Settings& s) { return s.of_optimizer.field; }, \
                       [](Settings& s, decltype(Optimizer::field) value) { s.of_optimizer.field = value; })
  OF_OPTIMIZER(beta1);
  OF_OPTIMIZER(beta2);
  OF_OPTIMIZER(epsilon);
  OF_OPTIMIZER(weight_decay);
  OF_OPTIMIZER(norm_epsilon);
  OF_OPTIMIZER(loss_scale);
  OF_OPTIMIZER(unit_rows);
  OF_OPTIMIZER(learn_bias);
#undef OF_OPTIMIZER
}

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

  bind_settings(module);

  module.def("sample", [](const Distribution& data, uint64_t step, const std::string& simd) {
    Sampler sampler(variant(simd), data);
    Entries entries;
    sampler.draw(step, entries);
    return nb::make_tuple(entries.start, entries.sample, entries.value);
  });

  module.def(
      "gradient",
      [](Array2<float> W, Array1<float> b, std::optional<Array2<float>> V, const nb::tuple& entries, int batch,
         const Settings& settings, Out2 dW, Out1 db, std::optional<Out2> dV) {
        Trainer trainer = settings.trainer(W.shape(0), W.shape(1));
        trainer.set_state(parts<const float>(W, b, V));
        const Entries made = entries_of(nb::cast<Array1<int>>(entries[0]), nb::cast<Array1<int>>(entries[1]),
                                        nb::cast<Array1<float>>(entries[2]));
        return trainer.gradient(made, batch, parts<float>(dW, db, dV));
      },
      nb::arg("W"), nb::arg("b"), nb::arg("V").none(), nb::arg("entries"), nb::arg("batch"), nb::arg("settings"),
      nb::arg("dW"), nb::arg("db"), nb::arg("dV").none());

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
      .def(nb::init<Array2<float>, Array1<float>, std::optional<Array2<float>>, const Distribution&, const Settings&>(),
           nb::arg("W"), nb::arg("b"), nb::arg("V").none(), nb::arg("data"), nb::arg("settings"))
      .def("advance", &Training::advance)
      .def("sparse_steps", [](const Training& training) { return training.trainer.sparse_steps(); })
      .def("samples_left_out", [](const Training& training) { return training.trainer.samples_left_out(); })
      .def("state",
           [](const Training& training, Out2 W, Out1 b, std::optional<Out2> V) {
             training.trainer.get_state(parts<float>(W, b, V));
           },
           nb::arg("W"), nb::arg("b"), nb::arg("V").none());
}

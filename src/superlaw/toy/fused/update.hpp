// Rows into the step's order, and the optimiser's step on them.
#pragma once
#include "products.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

SUPERLAW_STAGE void pack(const Model& model, const Matrix& matrix, int tile) {
  for (int u = tile * kTile; u < (tile + 1) * kTile && u < model.n; ++u) {
    const float* from = matrix.rows + int64_t(model.order[u]) * model.stride;
    float* to = matrix.packed + int64_t(u) * model.stride;
    for (int k = 0; k < model.stride; k += kLanes) store(to + k, load(from + k));
    model.packed_b[u] = model.b[model.order[u]];
  }
}

// The order of the products is part of a run's bits.
inline Vec weighted_square(float weight, Vec g) { return weight * (g * g); }
inline float weighted_square(float weight, float g) { return weight * g * g; }

// How far a weight moves for its gradient g; m1 and m2 are what the rule keeps of those before.
// Adam: m1 and m2 are running means of g and g^2, bias-corrected.
struct Adam {
  float beta1, beta2, epsilon, step, root;

  Adam(const Update& update, float learning_rate)
      : beta1(update.beta1), beta2(update.beta2), epsilon(update.epsilon),
        step(float(learning_rate / update.correction1)), root(float(1 / __builtin_sqrt(update.correction2))) {}

  template <class Number>  // a vector or one float
  Number operator()(Number g, float* m1, float* m2) const {
    const Number first = beta1 * load_as(g, m1) + (1 - beta1) * g;
    const Number second = beta2 * load_as(g, m2) + weighted_square(1 - beta2, g);
    store(m1, first);
    store(m2, second);
    return step * first / (root * square_root(second) + epsilon);
  }
};

// Momentum as PyTorch has it: m1 <- mu m1 + g, and the weight moves by eta m1.
struct Sgd {
  float momentum, learning_rate;

  Sgd(const Update& update, float learning_rate) : momentum(update.beta1), learning_rate(learning_rate) {}

  template <class Number>
  Number operator()(Number g, float* m1, float*) const {
    const Number first = momentum * load_as(g, m1) + g;
    store(m1, first);
    return learning_rate * first;
  }
};

inline float norm(const float* row, int stride) {
  Vec squares = {};
  for (int k = 0; k < stride; k += kLanes) squares += load(row + k) * load(row + k);
  return __builtin_sqrtf(sum(squares));
}

// Decay first, with this step's learning rate, then the rule, then rows back to norm 1.
template <class Rule>
SUPERLAW_STAGE void update_rows(const Model& model, const Matrix& matrix, const Update& update, int tile,
                                const float* rows) {
  const float eta = update.learning_rate, gamma = update.weight_decay;
  const Rule rule(update, eta);
  for (int j = 0; j < kTile; ++j) {
    const int u = tile * kTile + j;
    if (u >= model.n) break;
    const int64_t at = int64_t(model.order[u]) * model.stride;
    float *W = matrix.rows + at, *m1 = matrix.m1 + at, *m2 = matrix.m2 + at;
    const float* g_row = rows + int64_t(j) * model.stride;
    float keep = 1 - eta * gamma;
    if (gamma < 0)  // growth toward unit rows
      keep = 1 + eta * gamma * (1 - 1 / (norm(W, model.stride) + update.norm_epsilon));
    for (int k = 0; k < model.stride; k += kLanes)
      store(W + k, keep * load(W + k) - rule(update.scale * load(g_row + k), m1 + k, m2 + k));
    if (update.unit_rows) {
      const float unit = 1 / (norm(W, model.stride) + update.norm_epsilon);
      for (int k = 0; k < model.stride; k += kLanes) store(W + k, unit * load(W + k));
    }
  }
}

template <class Rule>
SUPERLAW_STAGE void update_bias(const Model& model, const Update& update, int tile) {
  const Rule rule(update, update.bias_learning_rate);
  for (int u = tile * kTile; u < (tile + 1) * kTile && u < model.n; ++u) {
    const int i = model.order[u];
    model.b[i] -= rule(update.scale * model.grad_b[u], model.b_m1 + i, model.b_m2 + i);
  }
}

// Independent multiply-adds in every register: the yardstick for the share of the peak.
double multiply_adds(int64_t rounds) {
  Vec acc[kAccumulators];
  SUPERLAW_UNROLL
  for (int a = 0; a < kAccumulators; ++a) acc[a] = splat(float(a));
  Vec x = splat(0.999f), y = splat(0.001f);
  for (int64_t i = 0; i < rounds; ++i) {
    SUPERLAW_UNROLL
    for (int a = 0; a < kAccumulators; ++a) acc[a] = acc[a] * x + y;
    __asm__ volatile("");  // keeps the rounds apart
  }
  Vec total = {};
  SUPERLAW_UNROLL
  for (int a = 0; a < kAccumulators; ++a) total += acc[a];
  volatile float sink = sum(total);
  (void)sink;
  return 2.0 * kLanes * kAccumulators * double(rounds);
}

}  // namespace
}  // namespace superlaw::SUPERLAW_ISA

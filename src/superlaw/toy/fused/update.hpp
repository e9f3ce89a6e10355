// Rows into the step's order, and AdamW on them.
#pragma once
#include "products.hpp"

namespace superlaw::SUPERLAW_ISA {
namespace {

SUPERLAW_STAGE void pack(Model& model, int first_tile, int last_tile) {
  for (int u = first_tile * kTile; u < last_tile * kTile && u < model.n; ++u) {
    const float* from = model.W + int64_t(model.order[u]) * model.stride;
    float* to = model.packed_W + int64_t(u) * model.stride;
    for (int k = 0; k < model.stride; k += kLanes) store(to + k, load(from + k));
    model.packed_b[u] = model.b[model.order[u]];
  }
}

// Decay first, with this step's learning rate, then Adam.
SUPERLAW_STAGE void update_rows(const Model& model, const Update& update, int tile, const float* rows) {
  const float eta = update.learning_rate, gamma = update.weight_decay;
  const float beta1 = update.beta1, beta2 = update.beta2;
  const float step = float(eta / update.correction1), root = float(1 / __builtin_sqrt(update.correction2));
  const float bias_step = float(update.bias_learning_rate / update.correction1);
  for (int j = 0; j < kTile; ++j) {
    const int u = tile * kTile + j;
    if (u >= model.n) break;
    const int i = model.order[u];
    float *W = model.W + int64_t(i) * model.stride, *m1 = model.m1 + int64_t(i) * model.stride,
          *m2 = model.m2 + int64_t(i) * model.stride;
    const float* g_row = rows + int64_t(j) * model.stride;
    float keep = 1 - eta * gamma;
    if (gamma < 0) {  // growth toward unit rows
      Vec squares = {};
      for (int k = 0; k < model.stride; k += kLanes) squares += load(W + k) * load(W + k);
      keep = 1 + eta * gamma * (1 - 1 / (__builtin_sqrtf(sum(squares)) + update.epsilon));
    }
    for (int k = 0; k < model.stride; k += kLanes) {
      const Vec g = update.scale * load(g_row + k);
      const Vec first = beta1 * load(m1 + k) + (1 - beta1) * g;
      const Vec second = beta2 * load(m2 + k) + (1 - beta2) * (g * g);
      store(m1 + k, first);
      store(m2 + k, second);
      store(W + k, keep * load(W + k) - step * first / (root * square_root(second) + update.epsilon));
    }
    const float g = update.scale * model.grad_b[u];
    const float first = model.b_m1[i] = beta1 * model.b_m1[i] + (1 - beta1) * g;
    const float second = model.b_m2[i] = beta2 * model.b_m2[i] + (1 - beta2) * g * g;
    model.b[i] -= bias_step * first / (root * __builtin_sqrtf(second) + update.epsilon);
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

#include "trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace superlaw {
namespace {
constexpr double kSparseBelow = 0.2;  // share of active outputs below which the next step is sparse
constexpr int kSparseMirror = 24;     // width from which a sparse step mirrors G

void copy_rows(const Model& model, const float* from, int from_stride, float* to, int to_stride) {
  for (int i = 0; i < model.n; ++i)
    std::memcpy(to + size_t(i) * to_stride, from + size_t(i) * from_stride, model.m * sizeof(float));
}
}  // namespace

Trainer::Trainer(const Kernels& kernels, const Form& form, int threads, Products products)
    : kernels_(kernels), output_(kernels.outputs[int(form.output)]), products_(products), workers_(threads), model_{},
      order_(form.n), own_(threads) {
  const int tile = kernels.tile, lanes = kernels.lanes, n = form.n, m = form.m;
  model_.tied = form.tied;
  model_.n = n;
  model_.m = m;
  model_.stride = (m + lanes - 1) / lanes * lanes;
  if (model_.stride * sizeof(float) % 4096 == 0) model_.stride += lanes;  // rows must not share a cache set
  model_.n_tiles = (n + tile - 1) / tile;
  const size_t rows = size_t(model_.n_tiles) * tile + kernels.row_slack;
  const auto make = [&](OfMatrix& arrays) {
    for (Floats* array : {&arrays.rows, &arrays.m1, &arrays.m2}) array->resize(size_t(n) * model_.stride);
    return Matrix{arrays.rows.data(), arrays.m1.data(), arrays.m2.data(), nullptr};
  };
  model_.W = make(W_);
  model_.V = form.tied ? model_.W : make(V_);
  b_.resize(3 * size_t(n));
  model_.first_h = int(rows);
  packed_b_.resize(rows);
  std::fill_n(packed_b_.data(), rows, output_.padding);
  grad_b_.resize(rows);
  grad_J_.resize(size_t(model_.n_tiles) * tile * model_.stride);
  model_.b = b_.data();
  model_.b_m1 = b_.data() + n;
  model_.b_m2 = b_.data() + 2 * n;
  model_.order = order_.data();
  model_.packed_b = packed_b_.data();
  model_.grad_b = grad_b_.data();
  model_.grad_J = grad_J_.data();
}

void Trainer::set_state(Parts<const float> state) {
  copy_rows(model_, state.W, model_.m, model_.W.rows, model_.stride);
  if (!model_.tied) copy_rows(model_, state.V, model_.m, model_.V.rows, model_.stride);
  std::memcpy(model_.b, state.b, model_.n * sizeof(float));
}

void Trainer::get_state(Parts<float> state) const {
  copy_rows(model_, model_.W.rows, model_.stride, state.W, model_.m);
  if (!model_.tied) copy_rows(model_, model_.V.rows, model_.stride, state.V, model_.m);
  std::memcpy(state.b, model_.b, model_.n * sizeof(float));
}

// i goes to thread i mod threads: features that occur come first, so neighbours cost the same.
template <class Body>
void Trainer::for_all(int count, Body body) {
  const int threads = workers_.count();
  workers_.run([&](int t) {
    for (int i = t; i < count; i += threads) body(t, i);
  });
}

// Symmetric products save arithmetic on the |U| x |U| part and cost transposes and memory traffic:
// worth it on one thread, for rows long enough, while the kept tiles stay near the cache
// (docs/performance.md has the measurements).
Symmetry Trainer::choose(int n_unique) const {
  if (products_ == Products::plain || workers_.count() > 1 || !model_.tied) return {false, false};
  if (products_ == Products::symmetric_gradient) return {false, true};
  if (products_ == Products::symmetric) return {true, true};
  const bool near_cache = size_t(n_unique) * n_unique * sizeof(float) <= (size_t(8) << 20);
  return {near_cache && model_.m >= (is_sparse_ ? kSparseMirror : 48), near_cache && model_.m >= 12};
}

// Forms loss and gradients: grad_J, grad_b and, dense, grad_U or, sparse, events and grad_h.
double Trainer::accumulate(const Entries& entries, int n_samples) {
  const int tile = kernels_.tile;
  batch_.group(entries, n_samples, model_.b, order_.data());
  const Batch& batch = batch_.batch();
  is_sparse_ = output_.sparse && (products_ == Products::sparse || (products_ == Products::automatic && sparse_));
  counted_ = n_samples - (output_.counts_empty ? 0 : batch.n_empty);
  left_out_ += n_samples - counted_;
  const Symmetry symmetry = choose(batch.n_unique);
  const size_t blocks = (batch.n_unique + tile - 1) / tile, rows = blocks * tile;
  scratch_.resize(workers_.count());
  W_.packed.resize(size_t(model_.first_h + (is_sparse_ && model_.tied ? batch.n_multi : 0)) * model_.stride);
  if (!model_.tied) V_.packed.resize(size_t(model_.first_h + (is_sparse_ ? batch.n_multi : 0)) * model_.stride);
  model_.W.packed = W_.packed.data();
  model_.V.packed = model_.tied ? model_.W.packed : V_.packed.data();
  workers_.run([&](int t) {
    Own& own = own_[t];
    own.Wt.resize(size_t(model_.m + kernels_.lanes) * tile);
    own.G.resize(rows * tile * (symmetry.gram ? blocks : 1) + size_t(kernels_.row_slack) * tile);
    own.input_grad_b.resize(tile);
    own.grad_rows.resize(size_t(tile) * model_.stride);
    if (!model_.tied) own.grad_V.resize(size_t(tile) * model_.stride);
    scratch_[t] = {};
    scratch_[t].Wt = own.Wt.data();
    scratch_[t].G = own.G.data();
    scratch_[t].input_grad_b = own.input_grad_b.data();
  });
  for_all(model_.n_tiles, [&](int, int j) {
    kernels_.pack(model_, model_.W, j);
    if (!model_.tied) kernels_.pack(model_, model_.V, j);
  });
  if (output_.first_pass) statistics();
  results_.assign(model_.n_tiles, {});
  if (is_sparse_)
    sparse_tiles(symmetry);
  else
    dense_tiles(symmetry);

  TileResult total = {};  // in an order that does not depend on threads
  for (const TileResult& result : results_) {
    total.loss += result.loss;
    total.active += result.active;
    total.looked_at += result.looked_at;
  }
  sparse_ = double(total.active) <= kSparseBelow * double(total.looked_at);
  sparse_steps_ += is_sparse_;
  return total.loss / counted_;
}

// What the output needs of all the tiles of a sample, before it can give any gradient.
void Trainer::statistics() {
  const Batch& batch = batch_.batch();
  const size_t count = size_t(batch.single_start[batch.n_unique] + batch.n_multi) * kernels_.lanes;
  workers_.run([&](int t) {
    Own& own = own_[t];
    own.largest.resize(count + 1);
    own.exp_sum.resize(count + 1);
    std::fill_n(own.largest.data(), count, kLowest);
    std::fill_n(own.exp_sum.data(), count, 0.0f);
    scratch_[t].largest = own.largest.data();
    scratch_[t].exp_sum = own.exp_sum.data();
  });
  for_all(model_.n_tiles, [&](int t, int j) { output_.first_pass(model_, batch, j, scratch_[t]); });
  kernels_.finish_statistics(batch, scratch_.data(), int(scratch_.size()));
}

void Trainer::dense_tiles(Symmetry symmetry) {
  const Batch& batch = batch_.batch();
  const size_t tile = kernels_.tile, rows = (batch.n_unique + tile - 1) / tile * tile;
  grad_U_.resize(workers_.count());
  workers_.run([&](int t) {
    Own& own = own_[t];
    own.D.resize(symmetry.gradient ? rows * rows : tile * tile);
    own.grad_U.resize(rows * model_.stride + 1);
    own.Y.resize(size_t(batch.n_multi) * tile);
    own.S.resize(tile * tile);
    own.St.resize(tile * tile);
    scratch_[t].D = own.D.data();
    scratch_[t].grad_U = grad_U_[t] = own.grad_U.data();
    scratch_[t].Y = own.Y.data();
    scratch_[t].S = own.S.data();
    scratch_[t].St = own.St.data();
    std::memset(grad_U_[t], 0, rows * model_.stride * sizeof(float));
  });
  for_all(model_.n_tiles,
          [&](int t, int j) { results_[j] = output_.dense_tile(model_, batch, symmetry, j, scratch_[t]); });
}

void Trainer::sparse_tiles(Symmetry symmetry) {
  const Batch& batch = batch_.batch();
  const size_t tile = kernels_.tile, rows = batch.n_singles + batch.n_multi;
  events_.resize(model_.n_tiles, int(rows));
  grad_h_.resize(size_t(batch.n_multi) * model_.stride + 1);
  model_.grad_h = grad_h_.data();
  // A column has an event a row and a correction for each of its own inputs; odd, so that columns
  // do not share cache sets.
  const int capacity = (batch.n_singles + 2 * batch.n_multi + 2) | 1;
  workers_.run([&](int t) {
    Own& own = own_[t];
    if (own.column.size() < capacity * tile) own.column.resize(capacity * tile);
    own.terms.resize(model_.n + kSpare);
    own.Y.resize(rows * tile);
    own.bits.resize(rows);
    scratch_[t].Y = own.Y.data();
    scratch_[t].bits = own.bits.data();
    scratch_[t].column = own.column.data();
    scratch_[t].column_capacity = capacity;
  });
  for_all(batch.n_multi, [&](int, int s) { kernels_.sum_h(model_, batch, s); });
  for_all(model_.n_tiles, [&](int t, int j) {
    results_[j] = output_.sparse_tile(model_, batch, symmetry, j, scratch_[t], events_.data()[j]);
  });
  for_all(batch.n_multi,
          [&](int t, int s) { kernels_.sparse_h(model_, batch, events_.data(), s, own_[t].terms.data()); });
}

GradientRows Trainer::gradient_rows(int tile, Own& own) {
  const Batch& batch = batch_.batch();
  const GradientRows rows = {own.grad_rows.data(), model_.tied ? own.grad_rows.data() : own.grad_V.data()};
  if (is_sparse_)
    kernels_.sparse_rows(model_, batch, events_.data(), tile, own.terms.data(), rows);
  else
    kernels_.dense_rows(model_, batch.n_unique, tile, grad_U_.data(), int(grad_U_.size()), rows);
  return rows;
}

double Trainer::step(Sampler& sampler, uint64_t step, const Optimizer& optimizer, double learning_rate,
                     double bias_learning_rate) {
  sampler.draw(step, entries_);
  const double loss = accumulate(entries_, sampler.batch());
  ++updates_;
  const double objective = output_.error_scale * optimizer.loss_scale;
  const Update update = {float(learning_rate),
                         float(bias_learning_rate),
                         float(optimizer.weight_decay),
                         float(optimizer.beta1),
                         float(optimizer.beta2),
                         float(optimizer.epsilon),
                         1 - std::pow(optimizer.beta1, double(updates_)),
                         1 - std::pow(optimizer.beta2, double(updates_)),
                         float((output_.counts_empty ? objective / model_.n : objective) / counted_),
                         float(optimizer.norm_epsilon),
                         optimizer.unit_rows};
  const RuleKernels& rule = kernels_.rules[int(optimizer.rule)];
  for_all(model_.n_tiles, [&](int t, int j) {
    const GradientRows rows = gradient_rows(j, own_[t]);
    rule.update_rows(model_, model_.W, update, j, rows.W);
    if (!model_.tied) rule.update_rows(model_, model_.V, update, j, rows.V);
    if (optimizer.learn_bias) rule.update_bias(model_, update, j);
  });
  return loss;
}

double Trainer::gradient(const Entries& entries, int n_samples, Parts<float> gradient) {
  const double loss = accumulate(entries, n_samples);
  const float scale = output_.error_scale / counted_;
  for_all(model_.n_tiles, [&](int t, int j) {
    const GradientRows rows = gradient_rows(j, own_[t]);
    for (int u = j * kernels_.tile; u < (j + 1) * kernels_.tile && u < model_.n; ++u) {
      const size_t from = size_t(u - j * kernels_.tile) * model_.stride, to = size_t(order_[u]) * model_.m;
      for (int k = 0; k < model_.m; ++k) gradient.W[to + k] = scale * rows.W[from + k];
      for (int k = 0; k < model_.m && !model_.tied; ++k) gradient.V[to + k] = scale * rows.V[from + k];
      gradient.b[order_[u]] = scale * model_.grad_b[u];
    }
  });
  return loss;
}

}  // namespace superlaw

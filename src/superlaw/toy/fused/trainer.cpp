#include "trainer.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace superlaw {
namespace {
constexpr double kSparseBelow = 0.2;  // share of active outputs below which the next step is sparse
constexpr int kSparseMirror = 24;     // width from which a sparse step mirrors G
}  // namespace

void Floats::Free::operator()(float* p) const { std::free(p); }

void Floats::resize(size_t count) {
  if (count <= size_) return;
  const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
  float* p = static_cast<float*>(std::aligned_alloc(64, bytes));
  if (!p) throw std::bad_alloc();
  std::memset(p, 0, bytes);
  data_.reset(p);
  size_ = count;
}

// Never read before it is written, so not cleared: memory is taken only where events are.
template <class T>
static void reserve_raw(T*& data, size_t count) {
  std::free(data);
  data = nullptr;
  const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
  if (!(data = static_cast<T*>(std::aligned_alloc(64, bytes)))) throw std::bad_alloc();
}

static void reserve_events(TileEvents& list, int events, size_t D) {
  if (events > list.capacity) {
    list.capacity = 0;
    reserve_raw(list.event, size_t(events) + events / 2);
    list.capacity = events + events / 2;
  }
  if (D > list.D_capacity) {
    list.D_capacity = 0;
    reserve_raw(list.D, D);
    list.D_capacity = D;
  }
}

EventLists::~EventLists() {
  for (TileEvents& list : lists_) {
    std::free(list.event);
    std::free(list.D);
  }
}

void EventLists::resize(int count, int rows) {
  while (int(lists_.size()) < count) lists_.push_back({nullptr, nullptr, nullptr, false, 0, 0, reserve_events});
  row_starts_.resize(size_t(count) * (rows + 1));
  for (int i = 0; i < count; ++i) lists_[i].row_start = row_starts_.data() + size_t(i) * (rows + 1);
}

Workers::Workers(int count) {
  try {
    for (int t = 1; t < count; ++t) threads_.emplace_back([this, t] { serve(t); });
  } catch (...) {  // the system gives no more threads: end those it gave
    end();
    throw;
  }
}

Workers::~Workers() { end(); }

void Workers::end() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::serve(int t) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    start_.wait(lock, [&] { return stop_ || round_ != seen; });
    if (stop_) return;
    seen = round_;
    lock.unlock();
    attempt(t);
    lock.lock();
    if (--running_ == 0) done_.notify_one();
  }
}

void Workers::attempt(int t) {
  try {
    (*work_)(t);
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void Workers::run(const std::function<void(int)>& work) {
  if (threads_.empty()) return work(0);
  {
    std::lock_guard lock(mutex_);
    work_ = &work;
    running_ = int(threads_.size());
    failure_ = nullptr;
    ++round_;
  }
  start_.notify_all();
  attempt(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });  // whatever failed, nobody still uses `work`
  if (failure_) std::rethrow_exception(failure_);
}

Trainer::Trainer(const Kernels& kernels, int n, int m, int threads, Products products)
    : kernels_(kernels), products_(products), workers_(threads), model_{}, order_(n), W_(3), own_(threads) {
  const int tile = kernels.tile, lanes = kernels.lanes;
  model_.n = n;
  model_.m = m;
  model_.stride = (m + lanes - 1) / lanes * lanes;
  if (model_.stride * sizeof(float) % 4096 == 0) model_.stride += lanes;  // rows must not share a cache set
  model_.n_tiles = (n + tile - 1) / tile;
  const size_t rows = size_t(model_.n_tiles) * tile + kernels.row_slack;
  for (auto& array : W_) array.resize(size_t(n) * model_.stride);
  b_.resize(3 * size_t(n));
  model_.first_h = int(rows);
  packed_b_.resize(rows);
  grad_b_.resize(rows);
  grad_J_.resize(size_t(model_.n_tiles) * tile * model_.stride);
  model_.W = W_[0].data();
  model_.m1 = W_[1].data();
  model_.m2 = W_[2].data();
  model_.b = b_.data();
  model_.b_m1 = b_.data() + n;
  model_.b_m2 = b_.data() + 2 * n;
  model_.order = order_.data();
  model_.packed_b = packed_b_.data();
  model_.grad_b = grad_b_.data();
  model_.grad_J = grad_J_.data();
}

void Trainer::set_state(const float* W, const float* b) {
  for (int i = 0; i < model_.n; ++i)
    std::memcpy(model_.W + size_t(i) * model_.stride, W + size_t(i) * model_.m, model_.m * sizeof(float));
  std::memcpy(model_.b, b, model_.n * sizeof(float));
}

void Trainer::get_state(float* W, float* b) const {
  for (int i = 0; i < model_.n; ++i)
    std::memcpy(W + size_t(i) * model_.m, model_.W + size_t(i) * model_.stride, model_.m * sizeof(float));
  std::memcpy(b, model_.b, model_.n * sizeof(float));
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
  if (products_ == Products::plain || workers_.count() > 1) return {false, false};
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
  is_sparse_ = products_ == Products::sparse || (products_ == Products::automatic && sparse_);
  const Symmetry symmetry = choose(batch.n_unique);
  const size_t blocks = (batch.n_unique + tile - 1) / tile, rows = blocks * tile;
  scratch_.resize(workers_.count());
  packed_W_.resize(size_t(model_.first_h + (is_sparse_ ? batch.n_multi : 0)) * model_.stride);
  model_.packed_W = packed_W_.data();
  workers_.run([&](int t) {
    Own& own = own_[t];
    own.Wt.resize(size_t(model_.m + kernels_.lanes) * tile);
    own.G.resize(rows * tile * (symmetry.gram ? blocks : 1) + size_t(kernels_.row_slack) * tile);
    own.input_grad_b.resize(tile);
    own.grad_rows.resize(size_t(tile) * model_.stride);
    scratch_[t] = {};
    scratch_[t].Wt = own.Wt.data();
    scratch_[t].G = own.G.data();
    scratch_[t].input_grad_b = own.input_grad_b.data();
  });
  for_all(model_.n_tiles, [&](int, int j) { kernels_.pack(model_, j, j + 1); });
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
  return total.loss / n_samples;
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
          [&](int t, int j) { results_[j] = kernels_.dense_tile(model_, batch, symmetry, j, scratch_[t]); });
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
    results_[j] = kernels_.sparse_tile(model_, batch, symmetry, j, scratch_[t], events_.data()[j]);
  });
  for_all(batch.n_multi,
          [&](int t, int s) { kernels_.sparse_h(model_, batch, events_.data(), s, own_[t].terms.data()); });
}

void Trainer::gradient_rows(int tile, Own& own) {
  const Batch& batch = batch_.batch();
  if (is_sparse_)
    kernels_.sparse_rows(model_, batch, events_.data(), tile, own.terms.data(), own.grad_rows.data());
  else
    kernels_.dense_rows(model_, batch.n_unique, tile, grad_U_.data(), int(grad_U_.size()), own.grad_rows.data());
}

double Trainer::step(Sampler& sampler, uint64_t step, double loss_scale, const Optimizer& optimizer,
                     double learning_rate, double bias_learning_rate) {
  sampler.draw(step, entries_);
  const double loss = accumulate(entries_, sampler.batch());
  ++updates_;
  const Update update = {float(learning_rate),
                         float(bias_learning_rate),
                         float(optimizer.weight_decay),
                         float(optimizer.beta1),
                         float(optimizer.beta2),
                         float(optimizer.epsilon),
                         1 - std::pow(optimizer.beta1, double(updates_)),
                         1 - std::pow(optimizer.beta2, double(updates_)),
                         float(kernels_.error_scale * loss_scale / model_.n / sampler.batch())};
  for_all(model_.n_tiles, [&](int t, int j) {
    gradient_rows(j, own_[t]);
    kernels_.update_rows(model_, update, j, own_[t].grad_rows.data());
  });
  return loss;
}

double Trainer::gradient(const Entries& entries, int n_samples, float* dW, float* db) {
  const double loss = accumulate(entries, n_samples);
  const float scale = kernels_.error_scale / n_samples;
  for_all(model_.n_tiles, [&](int t, int j) {
    gradient_rows(j, own_[t]);
    for (int u = j * kernels_.tile; u < (j + 1) * kernels_.tile && u < model_.n; ++u) {
      const float* row = own_[t].grad_rows.data() + size_t(u - j * kernels_.tile) * model_.stride;
      for (int k = 0; k < model_.m; ++k) dW[size_t(order_[u]) * model_.m + k] = scale * row[k];
      db[order_[u]] = scale * model_.grad_b[u];
    }
  });
  return loss;
}

}  // namespace superlaw

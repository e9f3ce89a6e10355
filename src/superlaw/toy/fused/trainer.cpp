#include "trainer.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

namespace superlaw {

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
  packed_W_.resize(rows * model_.stride);
  packed_b_.resize(rows);
  grad_b_.resize(rows);
  grad_Wt_.resize(size_t(model_.n_tiles) * m * tile);
  model_.W = W_[0].data();
  model_.m1 = W_[1].data();
  model_.m2 = W_[2].data();
  model_.b = b_.data();
  model_.b_m1 = b_.data() + n;
  model_.b_m2 = b_.data() + 2 * n;
  model_.order = order_.data();
  model_.packed_W = packed_W_.data();
  model_.packed_b = packed_b_.data();
  model_.grad_b = grad_b_.data();
  model_.grad_Wt = grad_Wt_.data();
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

template <class Body>
void Trainer::for_tiles(Body body) {
  const int threads = workers_.count(), tiles = model_.n_tiles;
  workers_.run([&](int t) {
    for (int tile = tiles * t / threads; tile < tiles * (t + 1) / threads; ++tile) body(t, tile);
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
  return {near_cache && model_.m >= 48, near_cache && model_.m >= 12};
}

double Trainer::accumulate(const Entries& entries, int n_samples) {
  const int tile = kernels_.tile, stride = model_.stride;
  batch_.group(entries, n_samples, order_.data());
  const int n_unique = batch_.batch().n_unique;
  const Symmetry symmetry = choose(n_unique);
  const size_t blocks = (n_unique + tile - 1) / tile, rows = blocks * tile;
  const size_t slack = size_t(kernels_.row_slack) * tile;
  const int threads = workers_.count();
  scratch_.resize(threads);
  grad_U_.resize(threads);
  workers_.run([&](int t) {
    Own& own = own_[t];
    own.Wt.resize(size_t(model_.m + kernels_.lanes) * tile);
    own.G.resize(rows * tile * (symmetry.gram ? blocks : 1) + slack);
    own.D.resize(symmetry.gradient ? rows * rows : size_t(tile) * tile);
    own.grad_U.resize(rows * stride + 1);
    own.Y.resize(size_t(batch_.batch().n_multi) * tile);
    own.S.resize(size_t(tile) * tile);
    own.St.resize(size_t(tile) * tile);
    own.input_grad_b.resize(tile);
    own.grad_rows.resize(size_t(tile) * stride);
    scratch_[t] = {own.Wt.data(), own.G.data(), own.D.data(),  own.grad_U.data(),       own.Y.data(),
                   own.S.data(),  own.St.data(), own.input_grad_b.data(), 0.0};
    grad_U_[t] = own.grad_U.data();
    std::memset(grad_U_[t], 0, rows * stride * sizeof(float));
  });
  for_tiles([&](int, int j) { kernels_.pack(model_, j, j + 1); });
  for_tiles([&](int t, int j) { kernels_.tile_gradient(model_, batch_.batch(), symmetry, j, scratch_[t]); });
  double loss = 0;
  for (const Scratch& scratch : scratch_) loss += scratch.loss;
  return loss / n_samples;
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
                         float(2.0 * loss_scale / model_.n / sampler.batch())};
  for_tiles([&](int t, int j) {
    float* rows = own_[t].grad_rows.data();
    kernels_.gradient_rows(model_, batch_.batch().n_unique, j, grad_U_.data(), int(grad_U_.size()), rows);
    kernels_.update_rows(model_, update, j, rows);
  });
  return loss;
}

double Trainer::gradient(const Entries& entries, int n_samples, float* dW, float* db) {
  const double loss = accumulate(entries, n_samples);
  const float scale = 2.0f / n_samples;
  for_tiles([&](int t, int j) {
    float* rows = own_[t].grad_rows.data();
    kernels_.gradient_rows(model_, batch_.batch().n_unique, j, grad_U_.data(), int(grad_U_.size()), rows);
    for (int u = j * kernels_.tile; u < (j + 1) * kernels_.tile && u < model_.n; ++u) {
      const float* row = rows + size_t(u - j * kernels_.tile) * model_.stride;
      for (int k = 0; k < model_.m; ++k) dW[size_t(order_[u]) * model_.m + k] = scale * row[k];
      db[order_[u]] = scale * model_.grad_b[u];
    }
  });
  return loss;
}

}  // namespace superlaw

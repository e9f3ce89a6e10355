#include "workers.hpp"

namespace superlaw {

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

}  // namespace superlaw

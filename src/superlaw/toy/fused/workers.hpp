// The threads of one model in training.
#pragma once
#ifdef SUPERLAW_ONE_THREAD  // where the standard library has no threads: playground/ compiles this to WebAssembly

namespace superlaw {

class Workers {
 public:
  explicit Workers(int) {}
  int count() const { return 1; }
  template <class Work>
  void run(Work work) {
    work(0);
  }
};

}  // namespace superlaw
#else
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace superlaw {

// Threads that sleep between calls (spinning beside another process costs a factor of 50).
class Workers {
 public:
  explicit Workers(int count);
  ~Workers();
  int count() const { return int(threads_.size()) + 1; }
  void run(const std::function<void(int)>& work);  // work(0 .. count - 1), returns when all are done

 private:
  void serve(int t);    // what thread t does, until the end
  void attempt(int t);  // work(t), keeping the first exception of all threads
  void end();

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void(int)>* work_ = nullptr;
  uint64_t round_ = 0;
  int running_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
};

}  // namespace superlaw
#endif

#include "arrays.hpp"

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

}  // namespace superlaw

// Arrays that a model in training owns: they grow, and grow only.
#pragma once
#include <memory>
#include <vector>

#include "kernels.hpp"

namespace superlaw {

// 64-byte aligned, zeroed floats.
class Floats {
 public:
  Floats() = default;
  void resize(size_t count);  // grows only; old contents are dropped when it grows
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

// Growing lists of Terms, uninitialised: room is taken only where events are.
class EventLists {
 public:
  ~EventLists();
  void resize(int count, int rows);  // so many lists, all of them empty, each of so many rows
  TileEvents* data() { return lists_.data(); }

 private:
  std::vector<TileEvents> lists_;
  std::vector<int> row_starts_;
};

}  // namespace superlaw

// A loop's own ready list: first in, first out, linked through Runnable::next. Owner only.
#pragma once

#include <coil/detail/runnable.hpp>
#include <cstddef>

namespace coil::detail {

class LocalQueue {
 public:
  void push(Runnable& item) noexcept {
    item.next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = &item;
    tail_ = &item;
    ++size_;
  }
  [[nodiscard]] Runnable* pop() noexcept {
    Runnable* item = head_;
    if (item == nullptr) return nullptr;
    head_ = item->next;
    if (head_ == nullptr) tail_ = nullptr;
    --size_;
    return item;
  }
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Runnable* head_ = nullptr;
  Runnable* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace coil::detail

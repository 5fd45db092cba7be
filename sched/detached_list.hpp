// The operations of one loop that no task awaits; owner only. See detached_operation.hpp.
#pragma once

#include <coil/detail/detached_operation.hpp>

namespace coil::detail {

class DetachedList {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  void add(DetachedOperation& operation) noexcept {
    operation.detached_previous = nullptr;
    operation.detached_next = head_;
    if (head_ != nullptr) head_->detached_previous = &operation;
    head_ = &operation;
  }
  void remove(DetachedOperation& operation) noexcept {
    DetachedOperation* previous = operation.detached_previous;
    DetachedOperation* next = operation.detached_next;
    (previous != nullptr ? previous->detached_next : head_) = next;
    if (next != nullptr) next->detached_previous = previous;
  }
  template <class Fn>
  void for_each(Fn&& fn) noexcept {
    for (DetachedOperation* at = head_; at != nullptr; at = at->detached_next) fn(*at);
  }

 private:
  DetachedOperation* head_ = nullptr;
};

}  // namespace coil::detail

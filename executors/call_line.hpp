// Calls that wait their turn, first in first out; one that is cancelled is taken out at once.
//
// Invariant: the line holds a reference to each call that is in it.
#pragma once

#include <coil/detail/executor_call.hpp>
#include <cstddef>

namespace coil::detail {

// Not thread-safe: its owner's lock protects it and the calls' links.
class CallLine {
 public:
  CallLine() noexcept = default;
  CallLine(const CallLine&) = delete;
  CallLine& operator=(const CallLine&) = delete;
  ~CallLine() {
    while (take()) {
    }
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void add(CallRef call) noexcept {
    ExecutorCall& added = *call.detach();
    added.in_line = true;
    added.next = nullptr;
    added.previous = last_;
    (last_ != nullptr ? last_->next : first_) = &added;
    last_ = &added;
    ++size_;
  }
  // One that had been taken: it is the next again.
  void add_first(CallRef call) noexcept {
    ExecutorCall& added = *call.detach();
    added.in_line = true;
    added.previous = nullptr;
    added.next = first_;
    (first_ != nullptr ? first_->previous : last_) = &added;
    first_ = &added;
    ++size_;
  }
  // The oldest; empty if there is none.
  [[nodiscard]] CallRef take() noexcept {
    return first_ != nullptr ? take_out(*first_) : CallRef();
  }
  // Empty if it is not in the line any more.
  [[nodiscard]] CallRef remove(ExecutorCall& call) noexcept {
    return call.in_line ? take_out(call) : CallRef();
  }

 private:
  CallRef take_out(ExecutorCall& call) noexcept {
    (call.previous != nullptr ? call.previous->next : first_) = call.next;
    (call.next != nullptr ? call.next->previous : last_) = call.previous;
    call.in_line = false;
    --size_;
    return {&call, AdoptRef{}};
  }

  ExecutorCall* first_ = nullptr;
  ExecutorCall* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace coil::detail

// Calls that wait their turn, first in first out; one that is cancelled is taken out at once.
//
// Invariant: the line holds a reference to each call that is in it.
#pragma once

#include <coil/detail/executor_call.hpp>
#include <cstddef>
#include <utility>

namespace coil::detail {

// Calls that were taken out of a line all at once, for one thread to deal with. Each is still
// reached by its future only.
class CallChain {
 public:
  explicit CallChain(ExecutorCall* first) noexcept : first_(first) {}
  CallChain(const CallChain&) = delete;
  CallChain& operator=(const CallChain&) = delete;
  ~CallChain() {
    while (take()) {
    }
  }

  // The oldest; empty if there is none.
  [[nodiscard]] CallRef take() noexcept {
    if (first_ == nullptr) return {};
    ExecutorCall& taken = *first_;
    first_ = taken.next;
    return {&taken, AdoptRef{}};
  }

 private:
  ExecutorCall* first_;
};

// Not thread-safe: its owner's lock protects it and the calls' links.
class CallLine {
 public:
  CallLine() noexcept = default;
  CallLine(const CallLine&) = delete;
  CallLine& operator=(const CallLine&) = delete;
  ~CallLine() { (void)take_all(); }

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
  // From here on remove() finds none of them.
  [[nodiscard]] CallChain take_all() noexcept {
    for (ExecutorCall* call = first_; call != nullptr; call = call->next) call->in_line = false;
    last_ = nullptr;
    size_ = 0;
    return CallChain(std::exchange(first_, nullptr));
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

// The way back to a loop that may have gone when it is taken: a future can outlive the Runner on
// whose loop somebody wanted to hear of it.
#pragma once

#include <utility>

namespace coil {
class Loop;
}

namespace coil::detail {

class Gate;
struct Runnable;

class LoopLink {
 public:
  LoopLink() noexcept = default;
  LoopLink(LoopLink&& other) noexcept
      : loop_(other.loop_), gate_(std::exchange(other.gate_, nullptr)) {}
  LoopLink& operator=(LoopLink&&) = delete;
  ~LoopLink();
  // To the loop of this thread; to none, off a loop.
  [[nodiscard]] static LoopLink here() noexcept;

  // Runs the callback soon on the loop; now and here if there is none any more. Any thread.
  void post(Runnable& callback) const noexcept;

 private:
  LoopLink(Loop& loop, Gate& gate) noexcept;

  Loop* loop_ = nullptr;  // there while we are inside the gate, or on a loop of its Runner
  Gate* gate_ = nullptr;  // counted: it is there for all who come too late
};

}  // namespace coil::detail

// Something that goes on in a thread that is no loop (a function of to_thread): its Runner awaits
// it before it closes, and its loops run meanwhile.
#pragma once

#include <utility>

namespace coil::detail {

class WorkerPool;

// Held until the work has ended. Begun on a loop, dropped on any thread; move-only.
class OutsideWork {
 public:
  OutsideWork() noexcept = default;
  // Throws NoRunningLoop naming the operation; LoopClosed when the Runner closes and would not
  // wait for it any more.
  explicit OutsideWork(const char* operation);
  OutsideWork(OutsideWork&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
  OutsideWork& operator=(OutsideWork&& other) noexcept {
    OutsideWork(std::move(other)).swap(*this);
    return *this;
  }
  ~OutsideWork() {
    if (pool_ != nullptr) end();
  }
  void swap(OutsideWork& other) noexcept { std::swap(pool_, other.pool_); }

 private:
  void end() noexcept;

  WorkerPool* pool_ = nullptr;
};

}  // namespace coil::detail

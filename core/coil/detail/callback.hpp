// A done callback of a future: a waiter that becomes a callback on the loop that registered it.
//
// Invariant: it holds no reference to its future until that is about to be done, so that a future
// nobody can complete any more goes away, and its callbacks with it.
#pragma once

#include <coil/detail/completion.hpp>
#include <coil/detail/context_slot.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/loop_link.hpp>
#include <coil/detail/runnable.hpp>
#include <cstdint>

namespace coil::detail {

class DoneCallback : public FrameAllocated, public FutureWaiter, public Runnable {
 public:
  DoneCallback(const DoneCallback&) = delete;
  DoneCallback& operator=(const DoneCallback&) = delete;
  virtual ~DoneCallback() = default;
  virtual void call(FutureRef future) = 0;

  // Registers the callback with its future, and hands it to the future or, if that is done
  // already, to the loop at once. Gives the id for unregister.
  static std::uint64_t enlist(DoneCallback* callback);
  // How many callbacks were removed: those with this id that are not under way yet.
  static int unregister(FutureBase& future, std::uint64_t id);
  // Deletes the callbacks of a future that is never going to be done.
  static void discard_all(FutureBase& future) noexcept;

 protected:
  explicit DoneCallback(FutureBase& future) noexcept;

 private:
  friend void hold_for_callbacks(FutureWaiter* first) noexcept;
  static void on_done(FutureWaiter& waiter) noexcept;
  static void on_loop(Runnable& runnable) noexcept;
  void call_in_context();

  FutureBase& future_;
  FutureRef done_;
  ContextSlot context_;  // copied from whoever registered it
  LoopLink loop_;
  std::uint64_t id_ = 0;
};

}  // namespace coil::detail

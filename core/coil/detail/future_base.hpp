// What every future and task shares, whatever its result: count, completion, error.
//
// Invariant: error_ and the value are written by the one who claimed the completion, before it,
// and never change afterwards. A failed future whose error nobody looked at reports it when its
// last reference goes, before it is destroyed: the handler may keep what it is told of.
#pragma once

#include <coil/detail/completion.hpp>
#include <coil/detail/frame_allocator.hpp>
#include <coil/detail/ref.hpp>
#include <coil/time.hpp>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace coil {
class Loop;
struct ExceptionContext;
}  // namespace coil

namespace coil::detail {

class TaskBase;

class FutureBase : public FrameAllocated {
 public:
  using Phase = Completion::Phase;

  explicit FutureBase(std::uint32_t references = 1) noexcept : references_(references) {}
  FutureBase(const FutureBase&) = delete;
  FutureBase& operator=(const FutureBase&) = delete;
  virtual ~FutureBase();

  void add_ref() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  // A locked instruction costs as much as the rest of a switch, so it is avoided where nobody else
  // can hold a reference to copy: with a count of one, and in release_on_loop().
  void release() noexcept {
    // Acquire sees what others wrote before their release.
    const auto count = references_.load(std::memory_order_acquire);
    if (count == 2 && solo_.load(std::memory_order_relaxed) && release_on_loop()) return;
    if (count != 1 && references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (error_unretrieved()) [[unlikely]]
      return report_unretrieved();
    delete this;
  }

  [[nodiscard]] Completion& completion() noexcept { return completion_; }
  [[nodiscard]] Phase phase() const noexcept { return completion_.phase(); }
  [[nodiscard]] bool done() const noexcept { return completion_.done(); }
  [[nodiscard]] bool cancelled() const noexcept { return phase() == Phase::Cancelled; }

  // Asks for a cancel; false if done already. Any thread.
  virtual bool cancel(std::string_view message);
  [[nodiscard]] virtual TaskBase* as_task() noexcept { return nullptr; }
  [[nodiscard]] const TaskBase* as_task() const noexcept {
    return const_cast<FutureBase*>(this)->as_task();
  }

  // Completion by the one who claimed it.
  void finish_value() noexcept { completion_.complete(Phase::Value); }
  void finish_error(std::exception_ptr error) noexcept;
  void finish_cancelled(std::string_view message);
  // False: somebody else was first.
  bool try_finish_error(std::exception_ptr error) noexcept;

  // The error, which from now on counts as retrieved. Null after a value. Of a cancelled future:
  // a CancelledError.
  [[nodiscard]] const std::exception_ptr& error() const noexcept {
    retrieved_.store(true, std::memory_order_relaxed);
    return error_;
  }
  // The same, and it does not count.
  [[nodiscard]] const std::exception_ptr& peek_error() const noexcept { return error_; }
  void mark_retrieved() const noexcept { retrieved_.store(true, std::memory_order_relaxed); }
  // Throws for anything but a value. Must be done, else InvalidStateError.
  void throw_unless_value() const;

  // The caller's reference is the only one.
  [[nodiscard]] bool sole_reference() const noexcept {
    return references_.load(std::memory_order_acquire) == 1;
  }

  // Blocks this thread until done, or until the deadline passed (false). Not on a loop's thread.
  bool block_until_done(const char* operation, const TimePoint* deadline) const;

 protected:
  // Task only. This thread drives the only loop of its Runner, and the two references are the
  // task's own and the caller's: dropping the caller's needs no atomic operation.
  [[nodiscard]] virtual bool release_on_loop() noexcept { return false; }
  void set_solo(bool solo) noexcept { solo_.store(solo, std::memory_order_relaxed); }
  void drop_second_reference() noexcept { references_.store(1, std::memory_order_relaxed); }
  [[nodiscard]] bool error_unretrieved() const noexcept {
    return phase() == Phase::Exception && !retrieved_.load(std::memory_order_relaxed);
  }
  void set_error(std::exception_ptr error) noexcept { error_ = std::move(error); }
  // Where the report goes that nobody took the exception. No task: its own link says where.
  virtual void report_to_handler(const ExceptionContext& context) const noexcept;

 private:
  void report_unretrieved() noexcept;

  Atomic<std::uint32_t> references_;
  mutable Atomic<bool> retrieved_{false};
  // Relaxed: who is alone knows it; others only end it, before they take a reference.
  Atomic<bool> solo_{false};
  Completion completion_;
  std::exception_ptr error_;
};

using FutureRef = Ref<FutureBase>;

}  // namespace coil::detail

// The backend on io_uring. Reading order: ring, fill, wake, buffers, then this with submit.cpp
// (into the kernel) and backend.cpp (out of it).
//
// Invariant: an operation that submit() took is in exactly one place: the waiting list, the
// submission queue, or the kernel; in_flight_ counts all three. It leaves by deliver(), once.
#pragma once

#include <backend/backend.hpp>
#include <counter.hpp>
#include <own_pages.hpp>

#include "buffers.hpp"
#include "fill.hpp"
#include "ring.hpp"
#include "wake.hpp"

namespace coil::detail {

class IoUringBackend final : public Backend, public OwnPages {
 public:
  // `best_route`: tests hold it below what the kernel offers.
  explicit IoUringBackend(BackendLimits limits,
                          uring::WakeRoute best_route = uring::WakeRoute::DirectMessage);
  ~IoUringBackend() override;

  void attach() override;

  void submit(Operation& operation) override;
  void cancel(Operation& operation) override;

  [[nodiscard]] bool wants_poll() const noexcept override {
    return waiting_head_ != nullptr || ring_.needs_enter() || ring_.has_completions();
  }
  std::size_t poll() override;
  std::size_t park(TimePoint deadline) override;

  void unpark() noexcept override;
  void unpark_other(Backend& target) noexcept override;

  [[nodiscard]] std::size_t in_flight() const noexcept override { return in_flight_.read(); }
  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] std::span<std::byte> provided_buffer(std::uint16_t id) noexcept override {
    return buffers_.buffer(id);
  }
  void recycle_buffer(std::uint16_t id) noexcept override { buffers_.recycle(id); }

  // Any thread.
  [[nodiscard]] uring::WakeRoute route() const noexcept {
    return route_.load(std::memory_order_relaxed);
  }

 private:
  // Where an operation is. Its backend_data holds this, and above it the address of the one
  // behind it in line (Operation::next is the inbox's: a cancel may be posted at any time).
  enum class Stage : std::uint8_t {
    Submitted,      // in the submission queue or in the kernel
    CancelSent,     // so, and a request to cancel it lies behind it
    Waiting,        // in the waiting list, for a slot
    CancelWaiting,  // Submitted, and in the waiting list for a slot for its cancellation
    Cancelled,      // in the waiting list, for its end to be delivered: -ECANCELED
    Failed,         // so: there are no buffers for it
  };
  static Stage stage(const Operation& op) noexcept {
    return static_cast<Stage>(op.backend_data & uring::tag_mask);
  }
  static Operation* behind(const Operation& op) noexcept {
    return reinterpret_cast<Operation*>(op.backend_data & ~uring::tag_mask);
  }
  static void set(Operation& op, Stage stage, const Operation* behind = nullptr) noexcept {
    op.backend_data = reinterpret_cast<std::uint64_t>(behind) | static_cast<std::uint64_t>(stage);
  }

  // submit.cpp
  [[nodiscard]] io_uring_sqe* slot() noexcept;
  void put(io_uring_sqe& sqe, Operation& operation) noexcept;
  void put_cancel(io_uring_sqe& sqe, Operation& operation) noexcept;
  void wait_in_line(Operation& operation, Stage stage) noexcept;
  void leave_line() noexcept;
  void withdraw_cancel(Operation& operation) noexcept;
  std::size_t serve_line() noexcept;

  // backend.cpp
  void arm_wake_poll() noexcept;
  void set_route(uring::WakeRoute route) noexcept {
    route_.store(route, std::memory_order_relaxed);
  }
  void try_routes() noexcept;
  std::size_t prepare() noexcept;
  [[gnu::always_inline]] std::size_t collect() noexcept;  // see Ring::enter()
  std::size_t reap() noexcept;
  void block_until(TimePoint deadline) noexcept;
  void operation_completed(Operation& operation, std::int32_t result, std::uint32_t flags) noexcept;
  void housekeeping(std::uint64_t data, std::int32_t result, std::uint32_t flags) noexcept;
  void deliver(Operation& operation, std::int32_t result, CompletionFlags flags) noexcept;
  void message_failed(IoUringBackend& target, std::int32_t result) noexcept;

  uring::Ring ring_;
  uring::ProvidedBuffers buffers_;
  Operation* waiting_head_ = nullptr;
  Operation* waiting_tail_ = nullptr;
  Counter in_flight_;
  bool wake_poll_armed_ = false;
  bool delivering_ = false;
  std::int32_t wake_poll_error_ = 0;

  uring::Bell bell_;
  // Only a hint, relaxed: a route that does not work falls back by itself.
  Atomic<uring::WakeRoute> route_;
  // Other threads write here; what the owner works with stays on its own lines.
  alignas(64) uring::WakeState wake_;
};

}  // namespace coil::detail

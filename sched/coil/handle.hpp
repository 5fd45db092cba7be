// Handle: a callback that was scheduled and can be cancelled (asyncio.Handle, TimerHandle).
#pragma once

#include <coil/detail/ref.hpp>
#include <coil/time.hpp>

namespace coil {

class Loop;

namespace detail {
class ScheduledCall;
}  // namespace detail

// A shared handle; dropping it does not cancel. Thread-safe.
class Handle {
 public:
  Handle() noexcept = default;
  Handle(const Handle& other) noexcept;
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle other) noexcept;
  ~Handle();

  // Prevents the call. False once it has started (or was cancelled before).
  bool cancel() const;
  [[nodiscard]] bool cancelled() const;
  // When it is due; TimePoint::min() for call_soon.
  [[nodiscard]] TimePoint when() const;

 private:
  friend class Loop;
  explicit Handle(detail::ScheduledCall* call) noexcept : call_(call) {}
  detail::ScheduledCall* call_ = nullptr;
};

}  // namespace coil

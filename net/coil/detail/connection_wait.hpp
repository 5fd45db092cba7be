// What StreamWriter::drain and StreamWriter::wait_closed return.
//
// Invariant: linked in its connection's list, under that one's lock, or being woken, or neither.
#pragma once

#include <coil/detail/connection_loan.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/suspension.hpp>
#include <cstdint>
#include <utility>

namespace coil::detail {

class Connection;

class [[nodiscard("nothing is awaited without co_await")]] ConnectionWait : public NativeAwaiter,
                                                                            public Suspension {
 public:
  enum class For : std::uint8_t { Drained, Closed };

  ConnectionWait(Connection& connection, bool owns, For what) noexcept
      : Suspension(kinds[static_cast<int>(what)]), connection_(connection, owns), for_(what) {}
  // Only before it is awaited.
  ConnectionWait(ConnectionWait&& other) noexcept
      : Suspension(*other.kind), connection_(std::move(other.connection_)), for_(other.for_) {}
  ~ConnectionWait() = default;

  [[nodiscard]] bool await_ready() noexcept;
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return link(); });
  }
  void await_resume();

 private:
  friend class Connection;

  [[nodiscard]] bool link() noexcept;
  static HookResult stop(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind kinds[2];

  ConnectionLoan connection_;
  ConnectionWait* previous_ = nullptr;
  ConnectionWait* next_ = nullptr;
  For for_;
  bool linked_ = false;
};

}  // namespace coil::detail

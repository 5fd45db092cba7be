// What the members of Socket return: a request that may be moved until it is awaited.
//
// Invariant: it is linked in its socket from enter() until its last completion has been taken on
// the loop that holds it, so a close knows whom to wait for. While the operation is in flight the
// awaiter keeps the socket's state alive, not the Socket.
#pragma once

#include <coil/address.hpp>
#include <coil/detail/operation_awaiter.hpp>
#include <coil/detail/socket_state.hpp>
#include <cstddef>
#include <span>

namespace coil {
class Socket;
}

namespace coil::detail {

class SocketOperation : public OperationAwaiter {
 public:
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this, [this] { return start(); });
  }

 protected:
  SocketOperation(const LeafKind& leaf, SocketRef socket, OpCode opcode) noexcept;
  SocketOperation(SocketOperation&& other) noexcept;
  ~SocketOperation() = default;

  // The result, >= 0; throws CancelledError, or system_error "<what><preposition><peer>: <error>".
  std::size_t take_result(const char* what, const char* preposition);
  [[nodiscard]] const SocketRef& socket() const noexcept { return socket_; }
  [[nodiscard]] bool started() const noexcept { return started_; }
  void set_memory(const void* data, std::size_t size) noexcept;

 private:
  friend class SocketState;

  [[nodiscard]] bool start() noexcept;
  static void on_finish(Operation& operation) noexcept;

  SocketRef socket_;
  SocketOperation* previous_in_socket_ = nullptr;
  SocketOperation* next_in_socket_ = nullptr;
  bool started_ = false;
};

class [[nodiscard("nothing is received until this is awaited")]] SocketRecv final
    : public SocketOperation {
 public:
  SocketRecv(SocketRef socket, std::span<std::byte> buffer) noexcept;
  [[nodiscard]] bool await_ready() const noexcept { return length == 0; }
  std::size_t await_resume();
};

class [[nodiscard("nothing is sent until this is awaited")]] SocketSend final
    : public SocketOperation {
 public:
  SocketSend(SocketRef socket, std::span<const std::byte> data) noexcept;
  [[nodiscard]] bool await_ready() const noexcept { return length == 0; }
  std::size_t await_resume();
};

class [[nodiscard("nothing is accepted until this is awaited")]] SocketAccept final
    : public SocketOperation {
 public:
  explicit SocketAccept(SocketRef socket) noexcept;
  Socket await_resume();
};

class [[nodiscard("nothing is connected until this is awaited")]] SocketConnect final
    : public SocketOperation {
 public:
  SocketConnect(SocketRef socket, const coil::Address& target) noexcept;
  SocketConnect(SocketConnect&& other) noexcept;
  void await_resume();

 private:
  coil::Address target_;
};

}  // namespace coil::detail

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/net_error.hpp>
#include <coil/detail/socket_operation.hpp>
#include <coil/socket.hpp>
#include <string>
#include <utility>

namespace coil::detail {
namespace {

constinit const LeafKind recv_leaf{"recv", &OperationAwaiter::cancel_leaf};
constinit const LeafKind send_leaf{"send", &OperationAwaiter::cancel_leaf};
constinit const LeafKind accept_leaf{"accept", &OperationAwaiter::cancel_leaf};
constinit const LeafKind connect_leaf{"connect", &OperationAwaiter::cancel_leaf};

// One call moves at most this much, as the kernel's own limit (2 GiB less a page).
constexpr std::size_t transfer_max = std::size_t{1} << 30;

}  // namespace

SocketOperation::SocketOperation(const LeafKind& leaf, SocketRef socket, OpCode opcode) noexcept
    : OperationAwaiter(leaf), socket_(std::move(socket)) {
  code = opcode;
  finish = &on_finish;
}

// Only before it is awaited: nothing but the request is there to be moved.
SocketOperation::SocketOperation(SocketOperation&& other) noexcept
    : SocketOperation(*other.kind, std::move(other.socket_), other.code) {
  buffer = other.buffer;
  length = other.length;
  flags = other.flags;
}

void SocketOperation::set_memory(const void* data, std::size_t size) noexcept {
  buffer = const_cast<void*>(data);
  length = static_cast<std::uint32_t>(std::min(size, transfer_max));
}

bool SocketOperation::start() noexcept {
  if (!socket_ || !socket_->enter(*this)) return false;
  started_ = true;
  submit_operation(*this);
  // It completes on this loop, so not while we are here.
  if (socket_->closing()) [[unlikely]]
    (void)cancel_operation(*this);
  return true;
}

void SocketOperation::on_finish(Operation& operation) noexcept {
  auto& self = static_cast<SocketOperation&>(operation);
  self.socket_->leave(self);
  self.Suspension::task->wake();
}

std::size_t SocketOperation::take_result(const char* what, const char* preposition) {
  const std::int32_t result = OperationAwaiter::await_resume();
  if (result >= 0) [[likely]]
    return static_cast<std::size_t>(result);
  std::string text = what;
  const coil::Address other = socket_ ? socket_->remote_address() : coil::Address();
  if (!other.empty()) text += preposition + other.to_string();
  throw_net_error(started_ ? -result : EBADF, text);
}

SocketRecv::SocketRecv(SocketRef socket, std::span<std::byte> memory) noexcept
    : SocketOperation(recv_leaf, std::move(socket), OpCode::Recv) {
  set_memory(memory.data(), memory.size());
}
std::size_t SocketRecv::await_resume() { return length == 0 ? 0 : take_result("recv", " from "); }

SocketSend::SocketSend(SocketRef socket, std::span<const std::byte> data) noexcept
    : SocketOperation(send_leaf, std::move(socket), OpCode::Send) {
  set_memory(data.data(), data.size());
  flags = MSG_NOSIGNAL;
}
std::size_t SocketSend::await_resume() { return length == 0 ? 0 : take_result("send", " to "); }

SocketAccept::SocketAccept(SocketRef listener) noexcept
    : SocketOperation(accept_leaf, std::move(listener), OpCode::Accept) {
  flags = SOCK_CLOEXEC;
}

Socket SocketAccept::await_resume() {
  const std::size_t fd = take_result("accept", " from ");
  return Socket::from_fd(static_cast<int>(fd));
}

SocketConnect::SocketConnect(SocketRef socket, const coil::Address& target) noexcept
    : SocketOperation(connect_leaf, std::move(socket), OpCode::Connect), target_(target) {
  address = target_.data();
  address_length = target_.size();
}

SocketConnect::SocketConnect(SocketConnect&& other) noexcept
    // NOLINTNEXTLINE(bugprone-use-after-move): only the base is moved from
    : SocketOperation(std::move(other)), target_(other.target_) {
  address = target_.data();
  address_length = target_.size();
}

void SocketConnect::await_resume() {
  const bool was_connected = socket() && !socket()->remote_address().empty();
  try {
    (void)take_result(("connect to " + target_.to_string()).c_str(), ", connected to ");
  } catch (...) {
    if (started() && !was_connected) socket()->disconnect();
    throw;
  }
  socket()->set_remote_address(target_);
}

}  // namespace coil::detail

// The sending half of connection.hpp.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/connection.hpp>
#include <coil/detail/scheduler.hpp>
#include <new>
#include <stdexcept>

#include "pipe_write.hpp"
#include "sender.hpp"

namespace coil::detail {
namespace {

// From here on a write goes into the kernel at once, if nothing is in front of it: copying it
// first costs more than the system call.
constexpr std::size_t direct_min = 16 * 1024;

}  // namespace

Sender::Sender(Connection& owner) noexcept : connection(owner) {
  send.code = owner.pipe_ ? OpCode::Poll : OpCode::Send;
  send.flags = owner.pipe_ ? POLLOUT : MSG_NOSIGNAL;
  send.complete = &on_sent;
  send.finish = &on_sent_end;
  flush.run = &on_flush;
}

void Connection::write(std::span<const std::byte> data) {
  Loop& loop = require_loop("StreamWriter::write");
  if (data.size() >= direct_min && send_directly(data)) return;
  Sender::Flush* flush = nullptr;
  {
    const SpinGuard guard(lock_);
    if (eof_wanted_) throw std::runtime_error("Cannot call write() after write_eof()");
    // As in asyncio: nothing more goes out, and drain() says why.
    if (closing_ || error_ != 0 || data.empty()) return;
    Sender& out = sender();
    try {
      out.queued.append(data);
    } catch (...) {
      rest_if_idle();  // a sender is there while there is something to send
      throw;
    }
    update_hints();
    if (!sending_ && !flush_queued_) {
      flush_queued_ = true;
      flush = &out.flush;
    }
  }
  if (flush != nullptr) post(*flush, loop);
}

// True: all of it has gone. The kernel copies under no lock of ours; sending_ keeps others out.
bool Connection::send_directly(std::span<const std::byte>& data) {
  {
    const SpinGuard guard(lock_);
    if (sender_ != nullptr || sending_ || eof_wanted_ || closing_ || error_ != 0) return false;
    sending_ = true;
  }
  ssize_t n = 0;
  do {
    n = pipe_ ? write_without_signal(socket_, data)
              : ::send(socket_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  const int error = n < 0 && errno != EAGAIN ? errno : 0;
  Aftermath after;
  {
    const SpinGuard guard(lock_);
    sending_ = false;
    if (n > 0) data = data.subspan(static_cast<std::size_t>(n));
    if (error != 0) lose(error);
    // In front of what others may have written meanwhile. A close that came still sends it.
    if (!data.empty() && error_ == 0 && !keep_rest(data)) lose(ENOMEM);
    update_hints();
    if (error_ == 0 && sender_ != nullptr) {
      start_sending();
    } else {
      rest_if_idle();
      settle(after);
    }
  }
  after.carry_out();
  return true;
}

// False: there is no memory. What has gone already is half of what was to go.
bool Connection::keep_rest(std::span<const std::byte> data) noexcept {
  try {
    sender().sending.append(data);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

Sender& Connection::sender() {
  if (sender_ == nullptr) sender_ = new Sender(*this);
  return *sender_;
}

void Connection::start_sending() noexcept {
  Sender& out = *sender_;
  if (out.sending.empty()) out.sending.swap(out.queued);
  constexpr std::size_t once_max = std::size_t{1} << 30;
  out.send.fd = socket_;
  out.send.buffer = const_cast<std::byte*>(out.sending.data());
  out.send.length = static_cast<std::uint32_t>(std::min(out.sending.size(), once_max));
  sending_ = true;
  submit_detached(out.send);
}

// The end of the turn in which something was written.
void Sender::on_flush(Runnable& runnable) noexcept {
  Connection& self = static_cast<Flush&>(runnable).sender.connection;
  Connection::Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.flush(after);
  }
  after.carry_out();
}

void Connection::flush(Aftermath& after) noexcept {
  flush_queued_ = false;
  if (running_loop() == nullptr && error_ == 0) lose(ECANCELED);  // the loop has closed
  if (!sending_ && error_ == 0 && sender_->unsent() != 0) return start_sending();
  rest_if_idle();
  settle(after);
}

// A pipe can be written to now; the descriptor is open while this is in flight.
void Sender::on_sent(Operation& op, std::int32_t result, CompletionFlags) noexcept {
  if (op.code == OpCode::Poll && result > 0) {
    const std::span bytes(static_cast<const std::byte*>(op.buffer), op.length);
    const ssize_t n = write_without_signal(op.fd, bytes);
    result = n < 0 ? -errno : static_cast<std::int32_t>(n);
  }
  static_cast<Send&>(op).result = result;
  op.end();
}

void Sender::on_sent_end(Operation& op) noexcept {
  auto& send = static_cast<Send&>(op);
  end_detached(send);
  Connection& self = send.sender.connection;
  Connection::Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.sent(send.result, after);
  }
  after.carry_out();
}

void Connection::sent(std::int32_t result, Aftermath& after) noexcept {
  sending_ = false;
  if (result >= 0) {
    sender_->sending.consume(static_cast<std::size_t>(result));
  } else if (result != -EINTR && result != -EAGAIN) {
    // -ECANCELED: aborted, and error_ says so already; or the loop is closing.
    lose(-result);
  }
  if (error_ == 0 && sender_->unsent() != 0) {
    start_sending();
  } else {
    rest_if_idle();
  }
  update_hints();
  settle(after);
}

// Nothing is left to send, or nothing can be: the sender goes, and what waited for that happens.
void Connection::rest_if_idle() noexcept {
  if (sending_ || flush_queued_) return;
  if (error_ != 0 || (sender_ != nullptr && sender_->unsent() == 0)) {
    delete sender_;
    sender_ = nullptr;
  }
  if (sender_ == nullptr && eof_wanted_ && !eof_sent_ && error_ == 0 && socket_ >= 0) {
    eof_sent_ = true;
    ::shutdown(socket_, SHUT_WR);
  }
}

// After the connection was lost. What the kernel holds goes when it lets go of it.
void Connection::drop_unsent() noexcept {
  if (sender_ == nullptr) return;
  sender_->queued.release();
  if (sending_) {
    (void)cancel_operation(sender_->send);
  } else {
    sender_->sending.release();
  }
}

void Connection::write_eof() {
  {
    const SpinGuard guard(lock_);
    if (closing_) return;
    eof_wanted_ = true;
    rest_if_idle();
  }
  if (pipe_) close();
}

std::size_t Connection::unsent() noexcept {
  const SpinGuard guard(lock_);
  return sender_ == nullptr ? 0 : sender_->unsent();
}

}  // namespace coil::detail

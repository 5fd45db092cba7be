// The receiving half of connection.hpp.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <coil/detail/connection.hpp>
#include <coil/detail/read_operation.hpp>
#include <new>
#include <stdexcept>

namespace coil::detail {

// One that we have aborted ourselves has just ended.
bool Connection::attempt(ReadOperation& read) {
  const bool decided = read.decide(received_, eof_, aborted_ ? 0 : error_, limit_);
  update_hints();
  return decided;
}

// Where nobody can be thrown at: without memory for what was read, the connection is lost.
bool Connection::attempt_or_lose(ReadOperation& read) noexcept {
  try {
    return attempt(read);
  } catch (const std::bad_alloc&) {
    lose(ENOMEM);
    read.fail_with(ENOMEM);
    return true;
  }
}

void Connection::fail_second_read() {
  throw std::runtime_error(
      "read() called while another coroutine is already waiting for incoming data");
}

bool Connection::try_read_locked(ReadOperation& read) {
  const SpinGuard guard(lock_);
  // Another reader: wait_for_data() tells.
  if (reader_ != nullptr || !attempt(read)) return false;
  // Reading ahead goes on once half of what it may gather is gone again.
  if (!receiving_ && received_.size() <= limit_ && read_before_ && wants_data()) start_receiving();
  return true;
}

bool Connection::wait_for_data(ReadOperation& read) noexcept {
  const SpinGuard guard(lock_);
  if (reader_ != nullptr || attempt_or_lose(read)) return false;
  reader_ = &read;
  read_before_ = true;
  if (!receiving_ && wants_data()) start_receiving();
  return true;
}

bool Connection::stop_waiting(ReadOperation& read) noexcept {
  const SpinGuard guard(lock_);
  if (reader_ != &read) return false;
  reader_ = nullptr;
  return true;
}

bool Connection::at_eof() noexcept {
  const SpinGuard guard(lock_);
  return eof_ && received_.empty();
}

void Connection::decide_reader(Aftermath& after) noexcept {
  if (reader_ == nullptr || !attempt_or_lose(*reader_)) return;
  after.read = reader_;
  reader_ = nullptr;
}

bool Connection::wants_data() const noexcept {
  if (eof_ || closing_ || error_ != 0) return false;
  return reader_ != nullptr || received_.size() <= 2 * std::size_t{limit_};
}

// A multishot receive brings all that the kernel holds before it can be stopped, several hundred
// KiB of a fast sender. Where that is out of proportion, a poll says when there is something, and
// one receive takes a bounded part of it. So with pipes, which have no multishot receive.
void Connection::start_receiving() noexcept {
  const bool bounded =
      pipe_ || limit_ < multishot_limit_min || (reader_ == nullptr && received_.size() > limit_);
  code = bounded ? OpCode::Poll : OpCode::RecvMultishot;
  Operation::flags = bounded ? POLLIN : 0;
  complete = bounded ? &on_readable : &on_receive;
  receiving_ = true;
  stop_asked_ = false;
  Operation::fd = socket_;
  submit_detached(*this);
}

void Connection::stop_receiving() noexcept {
  if (!receiving_ || stop_asked_) return;
  stop_asked_ = true;
  (void)cancel_operation(*this);
}

// False: there is no memory for it.
bool Connection::keep(std::span<const std::byte> bytes) noexcept {
  try {
    if (!closing_) received_.append(bytes);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void Connection::take_result(std::int32_t result, std::span<const std::byte> bytes, bool more,
                             Aftermath& after) noexcept {
  if (!keep(bytes)) result = -ENOMEM;
  switch (-result) {
    case 0:
      eof_ = true;
      break;
    case ENOBUFS:  // every buffer of this turn was taken: the end submits it again
    case EAGAIN:
    case EINTR:
      break;
    case ECANCELED:
      if (!stop_asked_) lose(ECANCELED);  // the loop is closing
      break;
    default:
      if (result > 0) break;
      lose(-result);
      closing_ = true;  // nothing can come of it any more
  }
  decide_reader(after);
  update_hints();
  if (!more) return;
  if (closing_ || (reader_ == nullptr && received_.size() > 2 * std::size_t{limit_}))
    stop_receiving();
}

// The descriptor is open while this is in flight.
void Connection::on_readable(Operation& op, std::int32_t result, CompletionFlags) noexcept {
  auto& self = static_cast<Connection&>(op);
  std::array<std::byte, 16 * 1024> memory;
  std::span<const std::byte> bytes;
  if (result > 0) {
    const ssize_t n = self.pipe_ ? ::read(op.fd, memory.data(), memory.size())
                                 : ::recv(op.fd, memory.data(), memory.size(), MSG_DONTWAIT);
    result = n < 0 ? -errno : static_cast<std::int32_t>(n);
    if (n > 0) bytes = std::span(memory).first(static_cast<std::size_t>(n));
  }
  Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.take_result(result, bytes, false, after);
  }
  after.carry_out();
  op.end();
}

void Connection::on_receive(Operation& op, std::int32_t result, CompletionFlags flags) noexcept {
  auto& self = static_cast<Connection&>(op);
  std::span<const std::byte> bytes;
  if (flags.has_buffer && result > 0)
    bytes = provided_buffer(op, flags.buffer_id).first(static_cast<std::size_t>(result));
  Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.take_result(result, bytes, flags.more, after);
    if (flags.has_buffer) recycle_buffer(op, flags.buffer_id);
  }
  after.carry_out();
  if (!flags.more) op.end();
}

void Connection::on_receive_end(Operation& op) noexcept {
  auto& self = static_cast<Connection&>(op);
  end_detached(self);
  Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.receiving_ = self.stop_asked_ = false;
    if (self.wants_data()) {
      self.start_receiving();
    } else {
      self.settle(after);
    }
  }
  after.carry_out();
}

}  // namespace coil::detail

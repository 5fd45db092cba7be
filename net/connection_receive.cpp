// The receiving half of connection.hpp.
#include <cerrno>
#include <coil/detail/connection.hpp>
#include <coil/detail/read_operation.hpp>
#include <stdexcept>

namespace coil::detail {

// One that we have aborted ourselves has just ended.
bool Connection::attempt(ReadOperation& read) {
  const bool decided = read.decide(received_, eof_, aborted_ ? 0 : error_, limit_);
  update_hints();
  return decided;
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
  if (reader_ != nullptr || attempt(read)) return false;
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

void Connection::decide_reader(Aftermath& after) {
  if (reader_ == nullptr || !attempt(*reader_)) return;
  after.read = reader_;
  reader_ = nullptr;
}

bool Connection::wants_data() const noexcept {
  if (eof_ || closing_ || error_ != 0) return false;
  return reader_ != nullptr || received_.size() <= 2 * std::size_t{limit_};
}

void Connection::start_receiving() noexcept {
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

void Connection::take_completion(std::int32_t result, CompletionFlags flags, Aftermath& after) {
  if (flags.has_buffer) {
    if (result > 0 && !closing_)
      received_.append(
          provided_buffer(*this, flags.buffer_id).first(static_cast<std::size_t>(result)));
    recycle_buffer(*this, flags.buffer_id);
  }
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
  if (reader_ == nullptr && received_.size() > 2 * std::size_t{limit_} && flags.more)
    stop_receiving();
}

void Connection::on_receive(Operation& op, std::int32_t result, CompletionFlags flags) noexcept {
  auto& self = static_cast<Connection&>(op);
  Aftermath after;
  {
    const SpinGuard guard(self.lock_);
    self.take_completion(result, flags, after);
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

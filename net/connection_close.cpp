// The end of a connection, and who waits for what: the rest of connection.hpp.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <coil/detail/check.hpp>
#include <coil/detail/connection.hpp>
#include <coil/detail/net_error.hpp>
#include <coil/detail/read_operation.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <stdexcept>

#include "sender.hpp"

namespace coil::detail {

Connection::Connection(int fd, const coil::Address& peer, std::size_t limit) noexcept
    : socket_(fd), limit_(static_cast<std::uint32_t>(std::min(limit, limit_max))), peer_(peer) {
  finish = &on_receive_end;
}

Connection::Connection(int fd, PipeEnd end, std::size_t limit) noexcept
    : pipe_(true), socket_(fd), limit_(static_cast<std::uint32_t>(std::min(limit, limit_max))) {
  finish = &on_receive_end;
  eof_sent_ = true;  // by closing it, and in no other way
  eof_ = end == PipeEnd::Writing;
}

Connection::~Connection() {
  COIL_CHECK(!receiving_ && !sending_, "a connection goes only when nothing is in flight on it");
  COIL_CHECK(closed_hook_ == nullptr, "a connection goes only when its server knows that");
  delete sender_;
  if (socket_ >= 0) ::close(socket_);
}

void Connection::drop_handle() noexcept {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (!closing()) {
    // What reads a pipe cannot be closed by its user: at the end of the stream it is over.
    if (!pipe_ && debug_mode()) [[unlikely]]
      report_unclosed();
    close();
  }
  release();
}

// What is in flight keeps it alive; whoever ends that last finds it orphaned.
void Connection::orphan() noexcept {
  {
    const SpinGuard guard(lock_);
    orphaned_ = true;
    if (busy()) return;
  }
  delete this;
}

bool Connection::closing() noexcept {
  const SpinGuard guard(lock_);
  return closing_;
}

void Connection::begin_close(bool abort) noexcept {
  Aftermath after;
  {
    const SpinGuard guard(lock_);
    closing_ = eof_ = true;
    stop_receiving();
    if (abort) {
      aborted_ = true;
      lose(ECONNABORTED);
    }
    decide_reader(after);
    rest_if_idle();
    update_hints();
    settle(after);
  }
  after.carry_out();
}

// The first reason counts. Nothing more is sent; what was received can still be read.
void Connection::lose(int error) noexcept {
  if (socket_ < 0) return;
  if (error_ == 0) error_ = error;
  drop_unsent();
  update_hints();
}

// Closes what can be closed now, and finds out who need not wait any longer.
void Connection::settle(Aftermath& after) noexcept {
  if (busy()) {
    if (waiters_ == nullptr) return;
  } else if (closing_ && socket_ >= 0) {
    COIL_CHECK(sender_ == nullptr, "a connection is closed with bytes to send");
    after.fd = std::exchange(socket_, -1);
    after.closed_hook = std::exchange(closed_hook_, nullptr);
    update_hints();
  }
  if (orphaned_ && !busy()) after.corpse = this;
  for (ConnectionWait* waiter = waiters_; waiter != nullptr;) {
    ConnectionWait* next = waiter->next_;
    if (is_ready(waiter->for_)) {
      (waiter->previous_ != nullptr ? waiter->previous_->next_ : waiters_) = next;
      if (next != nullptr) next->previous_ = waiter->previous_;
      waiter->next_ = after.waiters;
      waiter->linked_ = false;
      after.waiters = waiter;
    }
    waiter = next;
  }
}

// Each of them may be gone once it is woken or told, and the connection too.
void Connection::Aftermath::carry_out() noexcept {
  if (fd >= 0) ::close(fd);
  if (closed_hook != nullptr) closed_hook->closed(*closed_hook);
  if (read != nullptr) read->Suspension::task->wake();
  while (waiters != nullptr) {
    ConnectionWait* waiter = std::exchange(waiters, waiters->next_);
    waiter->Suspension::task->wake();
  }
  delete corpse;
}

void Connection::update_hints() noexcept {
  readable_.store(!received_.empty() || eof_ || error_ != 0, std::memory_order_relaxed);
  congested_or_lost_.store(
      error_ != 0 || socket_ < 0 || (sender_ != nullptr && sender_->unsent() > high_water),
      std::memory_order_relaxed);
}

bool Connection::is_ready(ConnectionWait::For what) const noexcept {
  if (what == ConnectionWait::For::Closed) return socket_ < 0;
  return error_ != 0 || socket_ < 0 || sender_ == nullptr || sender_->unsent() <= low_water;
}

// After a failed send there may still be something to read; who waits for the end has no use for
// it.
void Connection::close_if_lost() noexcept {
  bool lost = false;
  {
    const SpinGuard guard(lock_);
    lost = error_ != 0 && !closing_;
  }
  if (lost) close();
}

bool Connection::ready(ConnectionWait::For what) noexcept {
  if (what == ConnectionWait::For::Closed) close_if_lost();
  const SpinGuard guard(lock_);
  if (what == ConnectionWait::For::Drained && sender_ != nullptr && sender_->unsent() <= high_water)
    return true;
  return is_ready(what);
}

bool Connection::add_waiter(ConnectionWait& waiter) noexcept {
  const SpinGuard guard(lock_);
  if (is_ready(waiter.for_)) return false;
  waiter.linked_ = true;
  waiter.previous_ = nullptr;
  waiter.next_ = waiters_;
  if (waiters_ != nullptr) waiters_->previous_ = &waiter;
  waiters_ = &waiter;
  // Or nobody would notice that the other end has reset the connection.
  if (waiter.for_ == ConnectionWait::For::Closed && !receiving_ && wants_data()) start_receiving();
  return true;
}

bool Connection::remove_waiter(ConnectionWait& waiter) noexcept {
  const SpinGuard guard(lock_);
  if (!waiter.linked_) return false;
  waiter.linked_ = false;
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : waiters_) = waiter.next_;
  if (waiter.next_ != nullptr) waiter.next_->previous_ = waiter.previous_;
  return true;
}

void Connection::check_lost(ConnectionWait::For what) {
  int error = 0;
  bool closed = false;
  {
    const SpinGuard guard(lock_);
    error = error_;
    // An abort is what its caller wanted.
    if (aborted_ && what == ConnectionWait::For::Closed) error = 0;
    closed = socket_ < 0;
  }
  if (what == ConnectionWait::For::Closed) {
    if (error != 0) throw_net_error(error, "connection to " + peer_text());
    return;
  }
  if (error != 0 || closed)
    throw_net_error(error != 0 ? error : ECONNRESET, "drain: connection to " + peer_text());
}

std::string Connection::peer_text() const {
  return pipe_ ? "the other end of a pipe" : peer_.to_string();
}

coil::Address Connection::sockname() noexcept {
  const SpinGuard guard(lock_);  // or the number could mean another socket by now
  return local_address_of(socket_);
}

void Connection::report_unclosed() noexcept {
  try {
    ExceptionContext context;
    context.message = "unclosed connection to " + peer_.to_string();
    report(context);
  } catch (...) {  // out of memory: the report is lost, the connection is closed all the same
  }
}

void ConnectionHandle::fail_moved() { throw std::logic_error("the stream was moved from"); }

}  // namespace coil::detail

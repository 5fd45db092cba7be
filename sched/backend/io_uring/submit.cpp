// Operations on their way into the kernel, and what happens while it takes none.
//
// Invariant: nothing is refused and nothing overtakes: while anybody waits in line for a slot,
// newcomers go behind. So the cancellation of an operation always comes after its submission,
// and before the submission of another operation at the same address.
#include "backend.hpp"

namespace coil::detail {

using uring::ProvidedBuffers;

// A full queue is emptied into the kernel at once. nullptr: the kernel is short of memory.
io_uring_sqe* IoUringBackend::slot() noexcept {
  if (io_uring_sqe* sqe = ring_.slot()) [[likely]]
    return sqe;
  buffers_.publish();
  ring_.submit();
  return ring_.slot();
}

void IoUringBackend::put(io_uring_sqe& sqe, Operation& op) noexcept {
  uring::fill_operation(sqe, op, ProvidedBuffers::group);
  set(op, Stage::Submitted);
}

void IoUringBackend::put_cancel(io_uring_sqe& sqe, Operation& op) noexcept {
  uring::fill_cancel(sqe, op);
  set(op, Stage::CancelSent);
}

void IoUringBackend::submit(Operation& op) {
  in_flight_.add();
  if (op.code == OpCode::RecvMultishot) [[unlikely]] {
    if (!buffers_.prepare()) {
      wait_in_line(op, Stage::Failed);
      return;
    }
  }
  io_uring_sqe* sqe = waiting_head_ == nullptr ? slot() : nullptr;
  if (sqe == nullptr) [[unlikely]] {
    wait_in_line(op, Stage::Waiting);
    return;
  }
  put(*sqe, op);
}

void IoUringBackend::cancel(Operation& op) {
  switch (stage(op)) {
    case Stage::Submitted:
      if (io_uring_sqe* sqe = waiting_head_ == nullptr ? slot() : nullptr) {
        put_cancel(*sqe, op);
      } else {
        wait_in_line(op, Stage::CancelWaiting);
      }
      break;
    case Stage::Waiting:  // it keeps its place; its end is delivered from there
      set(op, Stage::Cancelled, behind(op));
      break;
    case Stage::CancelSent:
    case Stage::CancelWaiting:
    case Stage::Cancelled:
    case Stage::Failed:
      break;
  }
}

void IoUringBackend::wait_in_line(Operation& op, Stage stage) noexcept {
  set(op, stage);
  if (waiting_head_ == nullptr) {
    waiting_head_ = &op;
  } else {
    set(*waiting_tail_, this->stage(*waiting_tail_), &op);
  }
  waiting_tail_ = &op;
}

void IoUringBackend::leave_line() noexcept {
  Operation& op = *waiting_head_;
  waiting_head_ = behind(op);
  set(op, stage(op));
}

// The operation ended while its cancellation was still in line. Rare: the line is empty unless
// the kernel is short of memory.
void IoUringBackend::withdraw_cancel(Operation& op) noexcept {
  Operation* before = nullptr;
  for (Operation* at = waiting_head_; at != &op; at = behind(*at)) before = at;
  if (before == nullptr) {
    waiting_head_ = behind(op);
  } else {
    set(*before, stage(*before), behind(op));
  }
  if (waiting_tail_ == &op) waiting_tail_ = before;
  set(op, Stage::Submitted);
}

// Serves who stands in line now, not who joins meanwhile: an operation that fails at once and is
// submitted again at once must not hold the loop here.
std::size_t IoUringBackend::serve_line() noexcept {
  std::size_t delivered = 0;
  Operation* const last = waiting_tail_;
  for (bool was_last = false; waiting_head_ != nullptr && !was_last;) {
    Operation& op = *waiting_head_;
    was_last = &op == last;
    const Stage where = stage(op);
    if (where == Stage::Cancelled || where == Stage::Failed) {
      leave_line();
      deliver(op, where == Stage::Cancelled ? -ECANCELED : buffers_.error(), {});
      ++delivered;
      continue;
    }
    io_uring_sqe* sqe = slot();
    if (sqe == nullptr) break;
    leave_line();
    if (where == Stage::Waiting) {
      put(*sqe, op);
    } else {
      put_cancel(*sqe, op);
    }
  }
  return delivered;
}

}  // namespace coil::detail

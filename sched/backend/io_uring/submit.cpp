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
  set_stage(op, Stage::Submitted);
}

void IoUringBackend::submit(Operation& op) {
  ++in_flight_;
  if (op.code == OpCode::RecvMultishot) [[unlikely]] {
    if (const int error = buffers_.prepare(); error != 0) {
      wait_in_line(op, Stage::Ended, error);
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
        uring::fill_cancel(*sqe, op);
        set_stage(op, Stage::CancelSent);
      } else {
        wait_in_line(op, Stage::CancelWaiting);
      }
      break;
    case Stage::Waiting:  // it keeps its place; its end is delivered from there
      set_stage(op, Stage::Ended, -ECANCELED);
      break;
    case Stage::CancelSent:
    case Stage::CancelWaiting:
    case Stage::Ended:
      break;
  }
}

void IoUringBackend::wait_in_line(Operation& op, Stage stage, std::int32_t result) noexcept {
  set_stage(op, stage, result);
  op.next = nullptr;
  (waiting_head_ == nullptr ? waiting_head_ : waiting_tail_->next) = &op;
  waiting_tail_ = &op;
}

Operation* IoUringBackend::leave_line() noexcept {
  Operation* op = waiting_head_;
  waiting_head_ = op->next;
  op->next = nullptr;
  return op;
}

// The operation ended while its cancellation was still in line. Rare: the line is empty unless
// the kernel is short of memory.
void IoUringBackend::withdraw_cancel(Operation& op) noexcept {
  Operation* before = nullptr;
  for (Operation* at = waiting_head_; at != &op; at = at->next) before = at;
  (before == nullptr ? waiting_head_ : before->next) = op.next;
  if (waiting_tail_ == &op) waiting_tail_ = before;
  op.next = nullptr;
}

// Serves who stands in line now, not who joins meanwhile: an operation that fails at once and is
// submitted again at once must not hold the loop here.
std::size_t IoUringBackend::serve_line() noexcept {
  std::size_t delivered = 0;
  Operation* const last = waiting_tail_;
  while (waiting_head_ != nullptr) {
    Operation& op = *waiting_head_;
    const Stage where = stage(op);
    if (where == Stage::Ended) {
      const auto result = static_cast<std::int32_t>(op.backend_data >> 32);
      leave_line();
      const bool was_last = &op == last;
      deliver(op, result, {});
      ++delivered;
      if (was_last) break;
      continue;
    }
    io_uring_sqe* sqe = slot();
    if (sqe == nullptr) break;
    leave_line();
    if (where == Stage::Waiting) {
      put(*sqe, op);
    } else {
      uring::fill_cancel(*sqe, op);
      set_stage(op, Stage::CancelSent);
    }
    if (&op == last) break;
  }
  return delivered;
}

}  // namespace coil::detail

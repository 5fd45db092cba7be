#include "fill.hpp"

#include <fcntl.h>
#include <poll.h>

namespace coil::detail::uring {
namespace {

void transfer(io_uring_sqe& sqe, io_uring_op opcode, const Operation& op) noexcept {
  sqe.opcode = opcode;
  sqe.addr = reinterpret_cast<std::uint64_t>(op.buffer);
  sqe.len = op.length;
}

void message(io_uring_sqe& sqe, io_uring_op opcode, const Operation& op) noexcept {
  sqe.opcode = opcode;
  sqe.addr = reinterpret_cast<std::uint64_t>(op.buffer);
  sqe.len = 1;
}

// Tried on the spot, a FIFO would be opened as if O_NONBLOCK were set: without a writer, or with
// ENXIO. So a thread of the kernel's does it, which may wait.
void open(io_uring_sqe& sqe, const Operation& op) noexcept {
  transfer(sqe, IORING_OP_OPENAT, op);
  sqe.open_flags = op.flags;
  sqe.flags = IOSQE_ASYNC;
}

void measure(io_uring_sqe& sqe, const Operation& op) noexcept {
  sqe.opcode = IORING_OP_STATX;
  sqe.addr = reinterpret_cast<std::uint64_t>("");
  sqe.len = op.length;
  sqe.off = reinterpret_cast<std::uint64_t>(op.buffer);
  sqe.statx_flags = AT_EMPTY_PATH;
}

}  // namespace

void fill_operation(io_uring_sqe& sqe, const Operation& op, std::uint16_t buffer_group) noexcept {
  sqe.fd = op.fd;
  sqe.user_data = tagged(Tag::Operation, &op);
  switch (op.code) {
    case OpCode::Nop:
      sqe.opcode = IORING_OP_NOP;
      break;
    case OpCode::AcceptMultishot:
      sqe.ioprio = IORING_ACCEPT_MULTISHOT;
      [[fallthrough]];
    case OpCode::Accept:
      sqe.opcode = IORING_OP_ACCEPT;
      sqe.accept_flags = op.flags;
      break;
    case OpCode::Connect:
      sqe.opcode = IORING_OP_CONNECT;
      sqe.addr = reinterpret_cast<std::uint64_t>(op.address);
      sqe.off = op.address_length;
      break;
    case OpCode::Recv:
      transfer(sqe, IORING_OP_RECV, op);
      sqe.msg_flags = op.flags;
      break;
    case OpCode::RecvMultishot:
      sqe.opcode = IORING_OP_RECV;
      sqe.ioprio = IORING_RECV_MULTISHOT;
      sqe.flags = IOSQE_BUFFER_SELECT;
      sqe.buf_group = buffer_group;
      sqe.msg_flags = op.flags;
      break;
    // A peer that has gone is an error code here, never SIGPIPE.
    case OpCode::Send:
      transfer(sqe, IORING_OP_SEND, op);
      sqe.msg_flags = op.flags | MSG_NOSIGNAL;
      break;
    case OpCode::SendMessage:
      message(sqe, IORING_OP_SENDMSG, op);
      sqe.msg_flags = op.flags | MSG_NOSIGNAL;
      break;
    case OpCode::RecvMessage:
      message(sqe, IORING_OP_RECVMSG, op);
      sqe.msg_flags = op.flags;
      break;
    case OpCode::Shutdown:
      sqe.opcode = IORING_OP_SHUTDOWN;
      sqe.len = op.flags;
      break;
    case OpCode::Close:
      sqe.opcode = IORING_OP_CLOSE;
      break;
    case OpCode::Poll:
      sqe.opcode = IORING_OP_POLL_ADD;
      sqe.poll32_events = op.flags;
      break;
    case OpCode::Read:
    case OpCode::Write:
      transfer(sqe, op.code == OpCode::Read ? IORING_OP_READ : IORING_OP_WRITE, op);
      sqe.off = op.offset;
      break;
    case OpCode::Fsync:
      sqe.opcode = IORING_OP_FSYNC;
      break;
    case OpCode::OpenAt:
      open(sqe, op);
      break;
    case OpCode::Statx:
      measure(sqe, op);
      break;
  }
}

void fill_cancel(io_uring_sqe& sqe, const Operation& op) noexcept {
  sqe.opcode = IORING_OP_ASYNC_CANCEL;
  sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe.fd = -1;
  sqe.addr = tagged(Tag::Operation, &op);
  sqe.user_data = tagged(Tag::Cancel);
}

void fill_wake_poll(io_uring_sqe& sqe, int eventfd) noexcept {
  sqe.opcode = IORING_OP_POLL_ADD;
  sqe.fd = eventfd;
  sqe.poll32_events = POLLIN;
  sqe.len = IORING_POLL_ADD_MULTI;
  sqe.user_data = tagged(Tag::WakePoll);
}

void fill_message(io_uring_sqe& sqe, int target_ring, std::uint64_t sender_data) noexcept {
  sqe.opcode = IORING_OP_MSG_RING;
  sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe.fd = target_ring;
  sqe.addr = IORING_MSG_DATA;
  sqe.off = tagged(Tag::Note);
  sqe.user_data = sender_data;
}

}  // namespace coil::detail::uring

// One request to the kernel, and the handshake between its completion and its cancellation.
//
// An operation lives (usually in an awaiter, so in a coroutine frame) from submit() until its
// last completion, and only that completion, on the loop whose ring holds it, lets its memory go.
// A cancel may come from any thread. It is a message to the owning loop, and the message is the
// operation itself, so the operation must outlive the message:
//
//   any thread (cancel)                       owning loop
//   1. phase: Armed -> CancelPosted (CAS)     a. last completion arrives
//   2. push this operation into the inbox     b. old = phase.exchange(Completed)
//                                             c. old == Armed:        finish now
//                                                old == CancelPosted: the message is still under
//                                                way; finish when it has been taken out
//                                             d. message taken out: Completed -> finish now,
//                                                else ask the kernel, phase back to CancelSent
//
// 1 and b are read-modify-writes of one word, so exactly one of {c, d} finishes the operation.
// Kept by tests/model/operation_model.cpp, "the operation is finished once".
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

struct sockaddr;

namespace coil::detail {

class Worker;

enum class OpCode : std::uint8_t {
  Nop,
  Accept,           // fd, flags
  AcceptMultishot,  // fd, flags; one completion per connection, result = its descriptor
  Connect,          // fd, address, address_length
  Recv,             // fd, buffer, length, flags
  RecvMultishot,    // fd, buffers from the loop's provided pool
  Send,             // fd, buffer, length, flags
  SendMessage,      // fd, buffer = msghdr*, flags
  RecvMessage,      // fd, buffer = msghdr*, flags
  Shutdown,         // fd, flags = how
  Close,            // fd
  Poll,             // fd, flags = poll events; one shot
  Read,             // fd, buffer, length, offset (file_position: where the file stands)
  Write,            // as Read
  Fsync,            // fd
  OpenAt,           // fd = directory or AT_FDCWD, buffer = path, flags, length = mode
  Statx,            // fd, buffer = struct statx*, length = mask
};

inline constexpr std::uint64_t file_position = ~std::uint64_t{0};

// What a completion says beside its result.
struct CompletionFlags {
  bool more = false;            // a multishot operation goes on; this was not its last completion
  bool has_buffer = false;      // the data lies in a provided buffer ...
  std::uint16_t buffer_id = 0;  // ... with this number
};

enum class OpPhase : std::uint8_t { Idle, Armed, CancelPosted, CancelSent, Completed };

// The one word that a completion and a cancel fight over. Alone in a class so that the model
// checker runs exactly this code.
class OperationPhase {
 public:
  void arm() noexcept { phase_.store(OpPhase::Armed, std::memory_order_release); }
  // Any thread. True: the caller must now post the operation to its loop, exactly once.
  [[nodiscard]] bool post_cancel() noexcept {
    auto expected = OpPhase::Armed;
    return phase_.compare_exchange_strong(expected, OpPhase::CancelPosted,
                                          std::memory_order_acq_rel, std::memory_order_acquire);
  }
  // Owning loop, at the last completion. True: finish now.
  [[nodiscard]] bool complete() noexcept {
    return phase_.exchange(OpPhase::Completed, std::memory_order_acq_rel) != OpPhase::CancelPosted;
  }
  enum class Taken : std::uint8_t { AskKernel, Finish };
  // Owning loop, when the cancel message has been taken out of the inbox.
  [[nodiscard]] Taken take_message() noexcept {
    auto expected = OpPhase::CancelPosted;
    return phase_.compare_exchange_strong(expected, OpPhase::CancelSent, std::memory_order_acq_rel,
                                          std::memory_order_acquire)
               ? Taken::AskKernel
               : Taken::Finish;
  }

 private:
  Atomic<OpPhase> phase_{OpPhase::Idle};
};

struct Operation {
  // Called by the backend on the owning loop, for every completion of a multishot operation and
  // once for others. `result` is the kernel's: >= 0 or -errno. At the last one (!flags.more) it
  // calls end(), which calls `finish` now or when a cancel message has come in.
  using Complete = void (*)(Operation&, std::int32_t result, CompletionFlags flags) noexcept;
  // Called once, on the owning loop: from here on the operation's memory is its owner's again.
  using Finish = void (*)(Operation&) noexcept;

  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // The last completion has come (owning loop).
  void end() noexcept {
    if (phase.complete()) finish(*this);
  }

  Complete complete = nullptr;
  Finish finish = nullptr;
  void* buffer = nullptr;  // or what OpCode says
  std::uint64_t offset = 0;
  const sockaddr* address = nullptr;
  int fd = -1;
  std::uint32_t length = 0;
  std::uint32_t flags = 0;
  std::uint32_t address_length = 0;
  OpCode code = OpCode::Nop;

  // The loop's own bookkeeping from here on.
  OperationPhase phase;
  Worker* owner = nullptr;
  Operation* next = nullptr;       // in the inbox of cancels; the backend has backend_data
  std::uint64_t backend_data = 0;  // the backend's own from submit() to the last completion
};

// Hands the operation to the loop of this thread.
void submit_operation(Operation& operation);
// Asks for its early end, from any thread; the last completion comes as ever. False: it has come,
// or a cancel is under way already. The caller must know that the operation is still alive.
bool cancel_operation(Operation& operation) noexcept;

}  // namespace coil::detail

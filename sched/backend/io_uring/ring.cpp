#include "ring.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "newer.hpp"
#include "refusal.hpp"

namespace coil::detail::uring {
namespace {

constexpr unsigned default_sq_entries = 512;
constexpr unsigned default_cq_entries = 4096;
constexpr unsigned smallest_sq_entries = 32;  // below that a smaller ring does not help

// TASKRUN_FLAG: pending work shows in shared memory, so that looking for it costs no system call.
// R_DISABLED: SINGLE_ISSUER binds the ring to a thread, and that is the one that calls enable().
constexpr unsigned setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED |
                                 IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;

// NODROP: a full completion queue loses nothing. EXT_ARG: waiting with a time limit.
// CQE_SKIP: cancels and messages that succeed say nothing.
constexpr std::array needed_features{
    std::pair{IORING_FEAT_SINGLE_MMAP, "IORING_FEAT_SINGLE_MMAP"},
    std::pair{IORING_FEAT_NODROP, "IORING_FEAT_NODROP"},
    std::pair{IORING_FEAT_SUBMIT_STABLE, "IORING_FEAT_SUBMIT_STABLE"},
    std::pair{IORING_FEAT_FAST_POLL, "IORING_FEAT_FAST_POLL"},
    std::pair{IORING_FEAT_EXT_ARG, "IORING_FEAT_EXT_ARG"},
    std::pair{IORING_FEAT_CQE_SKIP, "IORING_FEAT_CQE_SKIP"},
};

constexpr std::array needed_opcodes{
    std::pair{IORING_OP_NOP, "IORING_OP_NOP"},
    std::pair{IORING_OP_POLL_ADD, "IORING_OP_POLL_ADD"},
    std::pair{IORING_OP_ASYNC_CANCEL, "IORING_OP_ASYNC_CANCEL"},
    std::pair{IORING_OP_ACCEPT, "IORING_OP_ACCEPT"},
    std::pair{IORING_OP_CONNECT, "IORING_OP_CONNECT"},
    std::pair{IORING_OP_RECV, "IORING_OP_RECV"},
    std::pair{IORING_OP_SEND, "IORING_OP_SEND"},
    std::pair{IORING_OP_RECVMSG, "IORING_OP_RECVMSG"},
    std::pair{IORING_OP_SENDMSG, "IORING_OP_SENDMSG"},
    std::pair{IORING_OP_SHUTDOWN, "IORING_OP_SHUTDOWN"},
    std::pair{IORING_OP_CLOSE, "IORING_OP_CLOSE"},
    std::pair{IORING_OP_READ, "IORING_OP_READ"},
    std::pair{IORING_OP_WRITE, "IORING_OP_WRITE"},
    std::pair{IORING_OP_FSYNC, "IORING_OP_FSYNC"},
};

std::string setup_sentence(unsigned sq_entries, unsigned cq_entries, unsigned flags) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "io_uring_setup(%u submissions, %u completions, flags %#x)", sq_entries, cq_entries,
                flags);
  return text.data();
}

// What the kernel may answer on a good day: interrupted, time over, short of memory for now.
bool is_transient(int error) noexcept {
  return error == EINTR || error == ETIME || error == EAGAIN || error == EBUSY;
}

[[noreturn]] void fail_enter(int error) noexcept {
  const char* hint =
      error == EBADR ? " (the kernel had no memory left and dropped completions)" : "";
  std::fprintf(stderr, "coil: io_uring_enter: %s%s\n", std::strerror(error), hint);
  fail_invariant("the kernel takes what a ring's owner submits", __FILE_NAME__, __LINE__);
}

io_uring_getevents_arg with_limit(__kernel_timespec* limit) noexcept {
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = _NSIG / 8;
  argument.ts = reinterpret_cast<std::uint64_t>(limit);
  return argument;
}

}  // namespace

Ring::Ring(BackendLimits limits) {
  unsigned sq_entries = limits.sq_entries != 0 ? limits.sq_entries : default_sq_entries;
  unsigned cq_entries = limits.cq_entries != 0 ? limits.cq_entries : default_cq_entries;
  int result = 0;
  for (;;) {
    cq_entries = std::max(cq_entries, sq_entries);
    result = set_up(sq_entries, cq_entries);
    // Little memory: a small ring is slower, and as correct.
    if (result != -ENOMEM || limits.sq_entries != 0 || sq_entries <= smallest_sq_entries) break;
    sq_entries /= 4;
    cq_entries /= 4;
  }
  if (result < 0) refuse(-result, setup_sentence(sq_entries, cq_entries, setup_flags));
  try {
    probe();
  } catch (...) {
    io_uring_queue_exit(&ring_);
    throw;
  }
}

int Ring::set_up(unsigned sq_entries, unsigned cq_entries) {
  io_uring_params params{};
  params.flags = setup_flags;
  params.cq_entries = cq_entries;
  const int result = io_uring_queue_init_params(sq_entries, &ring_, &params);
  if (result < 0) return result;
  sq_entries_ = params.sq_entries;
  sq_mask_ = params.sq_entries - 1;
  cq_mask_ = params.cq_entries - 1;
  enter_fd_ = ring_.ring_fd;
  // A level of indices that we have no use for: slot i is always entry i. (NO_SQARRAY would do
  // away with it, but liburing 2.3 then writes indices over the ring's head.)
  for (unsigned i = 0; i < sq_entries_; ++i) ring_.sq.array[i] = i;
  return 0;
}

void Ring::probe() {
  for (const auto& [bit, name] : needed_features) {
    if ((ring_.features & bit) == 0) refuse_old_kernel(name);
  }
  constexpr unsigned most = 256;
  std::vector<std::byte> memory(sizeof(io_uring_probe) + most * sizeof(io_uring_probe_op));
  auto* known = reinterpret_cast<io_uring_probe*>(memory.data());
  if (const int result = register_with(IORING_REGISTER_PROBE, known, most); result < 0) {
    refuse(-result, "io_uring_register(IORING_REGISTER_PROBE)");
  }
  for (const auto& [opcode, name] : needed_opcodes) {
    if (io_uring_opcode_supported(known, opcode) == 0) refuse_old_kernel(name);
  }
  // A loop that sleeps is idle, not waiting for a disk: without this, `top` shows 100 % iowait.
  if ((ring_.features & newer::feature_no_iowait) != 0) enter_flags_ |= newer::enter_no_iowait;
}

void Ring::enable() {
  if (const int result = register_with(IORING_REGISTER_ENABLE_RINGS, nullptr, 0); result < 0) {
    refuse(-result, "io_uring_register(IORING_REGISTER_ENABLE_RINGS)");
  }
  owner_ = this_thread_number();
  // Nothing to submit, nothing to wait for: whether it is allowed at all.
  if (const int result = io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), 0, 0,
                                         IORING_ENTER_GETEVENTS, nullptr, 0);
      result < 0 && !is_transient(-result)) {
    refuse(-result, "io_uring_enter");
  }
  register_descriptor();
}

// Saves the kernel looking the descriptor up in a table that all threads share. Not needed, so
// no error either: a thread has room for 16.
void Ring::register_descriptor() noexcept {
  io_uring_rsrc_update update{};
  update.offset = ~0U;
  update.data = static_cast<std::uint64_t>(ring_.ring_fd);
  if (register_with(IORING_REGISTER_RING_FDS, &update, 1) != 1) return;
  enter_fd_ = static_cast<int>(update.offset);
  enter_flags_ |= IORING_ENTER_REGISTERED_RING;
}

Ring::~Ring() {
  // The index means this ring only to the thread that registered it; elsewhere it goes when that
  // thread ends.
  if ((enter_flags_ & IORING_ENTER_REGISTERED_RING) != 0 && owner_ == this_thread_number()) {
    io_uring_rsrc_update update{};
    update.offset = static_cast<unsigned>(enter_fd_);
    register_with(IORING_UNREGISTER_RING_FDS, &update, 1);
  }
  io_uring_queue_exit(&ring_);
}

void Ring::check_transient(int error) noexcept {
  if (!is_transient(error)) fail_enter(error);
}

bool Ring::wait(__kernel_timespec* limit) noexcept {
  if (limit == nullptr) return enter(1, IORING_ENTER_GETEVENTS);
  io_uring_getevents_arg argument = with_limit(limit);
  return enter(1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
}

void Ring::wait_only(__kernel_timespec* limit) noexcept {
  publish();
  io_uring_getevents_arg argument = with_limit(limit);
  left_kernel(io_uring_enter2(static_cast<unsigned>(enter_fd_), 0, 1,
                              IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | enter_flags_,
                              reinterpret_cast<sigset_t*>(&argument), sizeof argument));
}

std::string Ring::describe() const {
  std::array<char, 200> text{};
  std::snprintf(text.data(), text.size(),
                "io_uring, %u submissions, %u completions, setup flags %#x, features %#x",
                sq_entries_, cq_mask_ + 1, ring_.flags, ring_.features);
  return text.data();
}

}  // namespace coil::detail::uring

#include "worker_process.hpp"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <coil/detail/remote_call.hpp>
#include <cstring>
#include <system_error>

#include "worker_main.hpp"

namespace coil::detail {
namespace {

[[noreturn]] void throw_error(int error, const char* what) {
  throw std::system_error(error, std::generic_category(),
                          std::string(what) + " for a worker process");
}

// By number: <sys/pidfd.h> of glibc 2.36 forgets that C++ includes it.
int open_process(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
void signal_process(int process, int number) noexcept {
  ::syscall(SYS_pidfd_send_signal, process, number, nullptr, 0);
}

// posix_spawn's lists, which somebody has to give back.
struct SpawnPlan {
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

void DropPackedCall::operator()(PackedCall* call) const noexcept { delete call; }

SocketPair::SocketPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw_error(errno, "socketpair");
  here = Descriptor(ends[0]);
  there = Descriptor(ends[1]);
  // At most the system's limit; a packet has to fit in any case.
  const int size = static_cast<int>(2 * MessageChannel::packet_max);
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

ControlPage::ControlPage() : descriptor_(::memfd_create("coil-worker", MFD_CLOEXEC)) {
  if (!descriptor_ || ::ftruncate(descriptor_.get(), sizeof(WorkerControl)) != 0)
    throw_error(errno, "memfd_create");
  void* page = ::mmap(nullptr, sizeof(WorkerControl), PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor_.get(), 0);
  if (page == MAP_FAILED) throw_error(errno, "mmap");
  control_ = new (page) WorkerControl;
}
ControlPage::~ControlPage() { ::munmap(control_, sizeof(WorkerControl)); }

WorkerProcess::WorkerProcess(const Environment& environment, const Packer& welcome,
                             SocketPair sockets)
    : channel_(std::move(sockets.here)) {
  const OutMessage message{.kind = MessageKind::Welcome, .content = &welcome};
  if (const int error = channel_.send({&message, 1}, MSG_DONTWAIT, control_.descriptor()))
    throw_error(error, "sendmsg");
  calls.reserve(WorkerControl::slots_max);
  spawn(environment, sockets.there.get());
}

void WorkerProcess::spawn(const Environment& environment, int socket) {
  std::vector<char*> variables;
  variables.reserve(environment.size() + 2);
  for (const auto& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  std::string own = std::string(worker_variable) + "=" + std::to_string(::getpid());
  variables.push_back(own.data());
  variables.push_back(nullptr);
  std::string role = "coil-worker";
  char* arguments[] = {program_invocation_name, role.data(), nullptr};

  SpawnPlan plan;
  posix_spawn_file_actions_adddup2(&plan.actions, socket, worker_socket);
  posix_spawn_file_actions_addclosefrom_np(&plan.actions, worker_socket + 1);
  // The pool's thread has all signals blocked.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK);
  // The image that runs, even if the file has been replaced.
  const int error = ::posix_spawn(&pid_, "/proc/self/exe", &plan.actions, &plan.attributes,
                                  arguments, variables.data());
  if (error != 0) throw_error(error, "posix_spawn(/proc/self/exe)");
  process_ = Descriptor(open_process(pid_));
  if (process_) return;
  const int why = errno;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  throw_error(why, "pidfd_open");
}

WorkerProcess::~WorkerProcess() {
  if (reaped_ || !process_) return;
  signal(SIGKILL);
  siginfo_t info;
  while (::waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED) < 0 &&
         errno == EINTR) {
  }
}

int WorkerProcess::send(std::span<const CallRef> sent) {
  OutMessage messages[WorkerControl::slots_max];
  const std::size_t before = calls.size();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto slot = static_cast<std::uint32_t>(std::countr_one(slots_used_));
    slots_used_ |= 1U << slot;
    const std::uint32_t sequence = next_sequence_++;
    control_->slots[slot].send(sequence);
    messages[i] = {.kind = MessageKind::Call,
                   .sequence = sequence,
                   .slot = slot,
                   .content = &sent[i]->remote()->packed->content};
    calls.push_back({sent[i], sequence, slot});
  }
  const int error = channel_.send({messages, sent.size()}, MSG_DONTWAIT);
  if (error != 0) {
    for (std::size_t i = before; i < calls.size(); ++i) slots_used_ &= ~(1U << calls[i].slot);
    calls.resize(before);
    return error;
  }
  if (before == 0) front_since = Clock::now();
  calls_made += sent.size();
  return 0;
}

CallRef WorkerProcess::take(std::uint32_t sequence) noexcept {
  const auto found = std::find_if(calls.begin(), calls.end(), [sequence](const Sent& sent) {
    return sent.sequence == sequence;
  });
  if (found == calls.end()) return {};
  CallRef call = std::move(found->call);
  slots_used_ &= ~(1U << found->slot);
  calls.erase(found);
  front_since = Clock::now();
  return call;
}

CallRef WorkerProcess::take_back() noexcept {
  if (calls.empty()) return {};
  Sent& last = calls.back();
  if (!control_->slots[last.slot].revoke(last.sequence)) return {};
  CallRef call = std::move(last.call);
  slots_used_ &= ~(1U << last.slot);
  calls.pop_back();
  --calls_made;
  return call;
}

void WorkerProcess::signal(int number) const noexcept {
  if (!reaped_) signal_process(process_.get(), number);
}

void WorkerProcess::dismiss() noexcept {
  state = State::Leaving;
  front_since = Clock::now();
  ::shutdown(channel_.descriptor(), SHUT_WR);
}

bool WorkerProcess::reap() noexcept {
  siginfo_t info{};
  const int result = ::waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED | WNOHANG);
  if (result == 0 && info.si_pid == 0) return false;
  if (result < 0 && errno == EINTR) return false;
  reaped_ = true;
  // ECHILD: the program waits for all children, or has SIGCHLD ignored.
  status_code_ = result == 0 ? info.si_code : 0;
  status_ = result == 0 ? info.si_status : 0;
  return true;
}

std::string WorkerProcess::how_it_ended() const {
  if (status_code_ == 0) return "ended (its exit status went to somebody else's wait)";
  if (status_code_ == CLD_EXITED) return "ended with exit code " + std::to_string(status_);
  const char* name = ::sigabbrev_np(status_);
  return "was killed by " + (name != nullptr ? "SIG" + std::string(name) : "a signal") +
         " (signal " + std::to_string(status_) + ")";
}

bool WorkerProcess::failed() const noexcept {
  if (status_code_ == CLD_EXITED) return true;
  return status_ == SIGSEGV || status_ == SIGABRT || status_ == SIGBUS || status_ == SIGILL ||
         status_ == SIGFPE || status_ == SIGSYS || status_ == SIGTRAP;
}

}  // namespace coil::detail

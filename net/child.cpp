#include "child.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <coil/detail/check.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

// Both by number: libraries older than the kernel lack them.
int pidfd_open(pid_t pid) noexcept { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
int pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

// As waitid(), which may be interrupted.
int wait_for(int pidfd, siginfo_t& info, int options) noexcept {
  int result = 0;
  do {
    info = {};
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | options);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

Child::Child(std::string what) : what_(std::move(what)), ended_(new FutureState<int>, AdoptRef{}) {
  code = OpCode::Poll;
  Operation::flags = POLLIN;
  complete = &on_polled;
  finish = &on_poll_end;
}

Child::~Child() { COIL_CHECK(pidfd_ < 0, "a child goes only when it was reaped"); }

void Child::set_pipe(int number, ConnectionHandle pipe) noexcept {
  pipes_[static_cast<std::size_t>(number)].emplace(std::move(pipe));
}

void Child::adopt(pid_t pid) {
  pid_ = pid;
  const int pidfd = pidfd_open(pid);
  if (pidfd < 0 && errno == ESRCH) return end(unknown_status);  // the kernel has reaped it
  if (pidfd < 0) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw std::system_error(error, std::system_category(), what_ + ": pidfd_open");
  }
  pidfd_ = pidfd;
  siginfo_t info;
  // It was reaped by others, and its number given to another process.
  if (wait_for(pidfd, info, WNOHANG | WNOWAIT) != 0) return end(unknown_status);
  watch();
}

void Child::watch() noexcept {
  Operation::fd = pidfd_;
  add_ref();
  submit_detached(*this);
}

void Child::on_polled(Operation& op, std::int32_t result, CompletionFlags) noexcept {
  static_cast<Child&>(op).result_ = result;
  op.end();
}

void Child::on_poll_end(Operation& op) noexcept {
  const Ref<Child> self(static_cast<Child*>(&op), AdoptRef{});
  end_detached(*self);
  auto status = self->reap(Patience::None);
  const bool loop_closes = self->result_ < 0 && self->result_ != -EINTR;
  if (!status && !loop_closes) return self->watch();
  if (!status) {
    (void)self->try_signal(SIGKILL);
    status = self->reap(Patience::UntilItEnds);
  }
  self->end(status.value_or(unknown_status));
}

std::optional<int> Child::reap(Patience patience) noexcept {
  siginfo_t info;
  // The kernel itself has reaped it (SIGCHLD is ignored), or the program.
  if (wait_for(pidfd_, info, patience == Patience::None ? WNOHANG : 0) != 0) return unknown_status;
  if (info.si_pid == 0) return std::nullopt;
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

void Child::end(int status) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (pidfd_ >= 0) ::close(std::exchange(pidfd_, -1));
  }
  (void)ended_->try_set_value(status);
}

std::optional<int> Child::returncode() const noexcept {
  if (!ended_->done()) return std::nullopt;
  return ended_->slot().get();
}

int Child::try_signal(int signal) noexcept {
  const std::lock_guard lock(mutex_);
  return pidfd_ < 0 || pidfd_send_signal(pidfd_, signal) == 0 ? 0 : errno;
}

void Child::send_signal(int signal) {
  const int error = try_signal(signal);
  if (error == 0 || error == ESRCH) return;
  throw std::system_error(error, std::system_category(),
                          "signal " + std::to_string(signal) + " to process " +
                              std::to_string(pid_) + " (" + what_ + ")");
}

const ConnectionHandle& Child::pipe(int number) const {
  static constexpr const char* names[] = {"stdin_", "stdout_", "stderr_"};
  if (!has_pipe(number)) {
    const std::string name = names[number];
    throw std::runtime_error("Process::" + name + ": the process was not started with ." + name +
                             " = PIPE (" + what_ + ")");
  }
  return *pipes_[static_cast<std::size_t>(number)];
}

bool Child::runs() noexcept {
  const std::lock_guard lock(mutex_);
  siginfo_t info;
  return pidfd_ >= 0 && wait_for(pidfd_, info, WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void Child::drop_handle() noexcept {
  if (handles_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (runs()) {
    if (debug_mode()) [[unlikely]]
      report_unfinished();
    (void)try_signal(SIGKILL);
  }
  for (auto& pipe : pipes_) pipe.reset();
  release();
}

void Child::report_unfinished() noexcept {
  try {
    ExceptionContext context;
    context.message = "process " + std::to_string(pid_) + " (" + what_ +
                      ") still ran when its last handle went; it is killed";
    report(context);
  } catch (...) {  // out of memory: the report is lost, the process is killed all the same
  }
}

}  // namespace coil::detail

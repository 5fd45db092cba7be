#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/subprocess.hpp>
#include <stdexcept>
#include <system_error>

#include "child.hpp"
#include "spawn.hpp"

namespace coil {

using detail::Child;
using detail::Connection;
using detail::ConnectionHandle;
using detail::FutureWait;
using detail::OwnedFd;
using detail::SpawnRequest;

namespace {

struct StartRequest {
  SpawnRequest spawn;
  std::array<Stdio, 3> stdio;
};

constexpr const char* stdio_names[] = {".stdin_", ".stdout_", ".stderr_"};

void check_stdio(const StartRequest& request) {
  for (std::size_t i = 0; i < 3; ++i) {
    const Stdio& stdio = request.stdio[i];
    if (stdio.kind() == Stdio::Kind::Stdout && i != STDERR_FILENO)
      throw std::invalid_argument(request.spawn.what + ": " + stdio_names[i] +
                                  " = STDOUT: that is for .stderr_ only");
    if (stdio.kind() == Stdio::Kind::Descriptor && ::fcntl(stdio.fd(), F_GETFD) < 0)
      throw std::system_error(
          errno, std::system_category(),
          request.spawn.what + ": " + stdio_names[i] + " = " + std::to_string(stdio.fd()));
  }
}

// Gives the process's end. Ours must not block a loop; the process's is as programs expect it.
OwnedFd make_pipe(Child& child, int number, const std::string& what) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::system_category(), what + ": pipe");
  const bool writing = number == STDIN_FILENO;
  OwnedFd ours(ends[writing ? 1 : 0]);
  OwnedFd its(ends[writing ? 0 : 1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  const auto end = writing ? Connection::PipeEnd::Writing : Connection::PipeEnd::Reading;
  auto* pipe = new Connection(ours.get(), end, Connection::default_limit);
  (void)ours.release();
  child.set_pipe(number, ConnectionHandle(pipe));
  return its;
}

Coro<Process> start(StartRequest request) {
  if (detail::require_open_loop("create_subprocess").is_simulated())
    throw std::system_error(ENOTSUP, std::system_category(),
                            request.spawn.what + ": no processes under Backend::sim");
  check_stdio(request);
  auto* child = new Child(request.spawn.what);
  Process process(child);
  std::array<OwnedFd, 3> its_ends;  // closed when it has them
  for (int i = 0; i < 3; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Stdio& stdio = request.stdio[at];
    int& descriptor = request.spawn.descriptors[at];
    switch (stdio.kind()) {
      case Stdio::Kind::Inherited:
        break;
      case Stdio::Kind::Pipe:
        its_ends[at] = make_pipe(*child, i, request.spawn.what);
        descriptor = its_ends[at].get();
        break;
      case Stdio::Kind::DevNull:
        descriptor = detail::fd_dev_null;
        break;
      case Stdio::Kind::Stdout:
        descriptor = detail::fd_of_stdout;
        break;
      case Stdio::Kind::Descriptor:
        descriptor = stdio.fd();
        break;
    }
  }
  child->adopt(detail::spawn(request.spawn));
  co_return process;
}

// Not a coroutine: texts are copied, and refused, when it is called.
Coro<Process> start_checked(SpawnRequest spawn, const SubprocessOptions& options) {
  spawn.environment = options.env.entries();
  spawn.cwd = options.cwd;
  detail::check(spawn);
  return start({std::move(spawn), {options.stdin_, options.stdout_, options.stderr_}});
}

// Coroutines that outlive the Process they were called on, and hold one themselves.
Coro<int> wait_for_end(Process process) {
  co_await FutureWait(process.child().ended(), detail::shielded_leaf);
  co_return process.returncode().value();
}

Coro<std::string> read_to_end(Process process, int number) {
  const Child& child = process.child();
  if (!child.has_pipe(number)) co_return std::string();
  co_return co_await StreamReader(child.pipe(number)).read();
}

Coro<ProcessOutput> communicate_with(Process process, std::string input) {
  Child& child = process.child();
  std::exception_ptr error;
  try {
    if (child.has_pipe(STDIN_FILENO)) {
      const StreamWriter writer(child.pipe(STDIN_FILENO));
      if (!input.empty()) writer.write(input);
      writer.close();  // when all is written; nobody asks what became of it
      std::string().swap(input);
    }
    auto [out, err] =
        co_await gather(read_to_end(process, STDOUT_FILENO), read_to_end(process, STDERR_FILENO));
    co_await FutureWait(child.ended(), detail::shielded_leaf);
    co_return ProcessOutput{std::move(out), std::move(err)};
  } catch (...) {
    error = std::current_exception();
  }
  // One that has become somebody else's may not be killed, and could go on for ever.
  if (child.try_signal(SIGKILL) != EPERM) co_await FutureWait(child.ended(), detail::joining_leaf);
  std::rethrow_exception(error);
}

std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void ProcessEnvironment::add(std::string_view name, std::string_view value) {
  if (name.empty() || name.find('=') != std::string_view::npos)
    throw std::invalid_argument("'" + std::string(name) + "' is no environment variable's name");
  entries_->push_back(std::string(name) + "=" + std::string(value));
}

Coro<Process> detail::start_process(std::string_view program, std::vector<std::string> arguments,
                                    const SubprocessOptions& options) {
  SpawnRequest spawn;
  spawn.what = "create_subprocess_exec of '" + std::string(program) + "'";
  spawn.program = program;
  spawn.arguments = std::move(arguments);
  spawn.arguments.emplace(spawn.arguments.begin(), program);
  return start_checked(std::move(spawn), options);
}

Coro<Process> create_subprocess_shell(std::string_view command, const SubprocessOptions& options) {
  SpawnRequest spawn;
  spawn.what = "create_subprocess_shell of '" + std::string(command) + "'";
  spawn.program = "/bin/sh";
  spawn.arguments = {spawn.program, "-c", std::string(command)};
  return start_checked(std::move(spawn), options);
}

Process::Process(const Process& other) noexcept : child_(other.child_) {
  if (child_ != nullptr) child_->add_handle();
}
Process::~Process() {
  if (child_ != nullptr) child_->drop_handle();
}

Child& Process::child() const {
  if (child_ == nullptr) throw std::logic_error("the process was moved from");
  return *child_;
}

int Process::pid() const { return child().pid(); }
std::optional<int> Process::returncode() const { return child().returncode(); }

Coro<int> Process::wait() const {
  (void)child();
  return wait_for_end(*this);
}
Coro<ProcessOutput> Process::communicate(std::string_view input) const {
  (void)child();
  return communicate_with(*this, std::string(input));
}
Coro<ProcessOutput> Process::communicate(std::span<const std::byte> input) const {
  (void)child();
  return communicate_with(*this, as_text(input));
}

void Process::send_signal(int signal) const { child().send_signal(signal); }
void Process::terminate() const { send_signal(SIGTERM); }
void Process::kill() const { send_signal(SIGKILL); }

StreamWriter Process::stdin_() const { return StreamWriter(child().pipe(STDIN_FILENO)); }
StreamReader Process::stdout_() const { return StreamReader(child().pipe(STDOUT_FILENO)); }
StreamReader Process::stderr_() const { return StreamReader(child().pipe(STDERR_FILENO)); }

}  // namespace coil

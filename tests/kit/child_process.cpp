#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <kit/child_process.hpp>
#include <system_error>
#include <thread>

extern char** environ;

namespace kit {
namespace {

constexpr const char* variable = "KIT_CHILD_PROGRAM";
using SteadyClock = std::chrono::steady_clock;

std::vector<std::string> child_environment(const std::string& program,
                                           const ChildProcess::Environment& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  all.push_back(std::string(variable) + "=" + program);
  return all;
}

}  // namespace

const char* child_program() { return std::getenv(variable); }

ChildProcess::ChildProcess(const std::string& program, const Environment& environment) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  auto texts = child_environment(program, environment);
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::string name = "child";
  char* arguments[] = {name.data(), nullptr};
  const int error =
      ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, arguments, pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  pipe_ = ends[0];
  if (error != 0) {
    ::close(pipe_);
    throw std::system_error(error, std::generic_category(), "posix_spawn");
  }
}

ChildProcess::~ChildProcess() {
  if (!result_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(pipe_);
}

void ChildProcess::send(int signal) const { ::kill(pid_, signal); }

bool ChildProcess::read_some(SteadyClock::time_point deadline) {
  if (end_of_output_) return false;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
  pollfd entry{.fd = pipe_, .events = POLLIN, .revents = 0};
  if (left <= 0 || ::poll(&entry, 1, static_cast<int>(left)) <= 0) return false;
  char buffer[4096];
  const ssize_t n = ::read(pipe_, buffer, sizeof buffer);
  if (n <= 0) {
    end_of_output_ = true;
    return false;
  }
  output_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

bool ChildProcess::wait_for_output(const std::string& text, std::chrono::seconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  while (output_.find(text) == std::string::npos)
    if (!read_some(deadline)) return false;
  return true;
}

bool ChildProcess::wait(std::chrono::seconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  while (read_some(deadline)) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (SteadyClock::now() > deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
      result_ = -SIGKILL;
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  result_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  return true;
}

}  // namespace kit

#include "spawn.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>

#include <cerrno>
#include <coil/detail/processors.hpp>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace coil::detail {
namespace {

// Before main(), when nobody can have changed it.
const sigset_t original_mask = [] {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return mask;
}();

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::system_category(), what);
}

void must(int error, const SpawnRequest& request) {
  if (error != 0) fail(error, request.what);
}

// A child begins with the affinity of the thread that makes it.
class Unbound {
 public:
  Unbound() noexcept {
    if (!loop_is_bound()) return;
    restore_ = pthread_getaffinity_np(pthread_self(), sizeof before_, &before_) == 0;
    if (restore_) unbind_thread();
  }
  ~Unbound() {
    if (restore_) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  }
  Unbound(const Unbound&) = delete;
  Unbound& operator=(const Unbound&) = delete;

 private:
  cpu_set_t before_;
  bool restore_ = false;
};

class Attributes {
 public:
  explicit Attributes(const SpawnRequest& request) {
    must(posix_spawnattr_init(&attributes_), request);
    posix_spawnattr_setsigmask(&attributes_, &original_mask);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// What the child does before it becomes the program.
class FileActions {
 public:
  explicit FileActions(const SpawnRequest& request) : request_(request) {
    must(posix_spawn_file_actions_init(&actions_), request);
    try {
      for (int target = 0; target < 3; ++target) place(target);
      if (!request.cwd.empty())
        must(posix_spawn_file_actions_addchdir_np(&actions_, request.cwd.c_str()), request);
      must(posix_spawn_file_actions_addclosefrom_np(&actions_, 3), request);
    } catch (...) {
      posix_spawn_file_actions_destroy(&actions_);
      throw;
    }
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  void place(int target) {
    int source = request_.descriptors[static_cast<std::size_t>(target)];
    if (source == fd_inherited) return;
    if (source == fd_dev_null) {
      must(posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0), request_);
      return;
    }
    if (source == fd_of_stdout) {
      source = STDOUT_FILENO;  // which is what it is to be by now
    } else if (source < 3 && source != target) {
      // Another one may have been put in its place by then.
      OwnedFd& copy = copies_[static_cast<std::size_t>(target)];
      copy = OwnedFd(::fcntl(source, F_DUPFD_CLOEXEC, 3));
      if (copy.get() < 0) fail(errno, request_.what);
      source = copy.get();
    }
    must(posix_spawn_file_actions_adddup2(&actions_, source, target), request_);
  }

  const SpawnRequest& request_;
  std::array<OwnedFd, 3> copies_;
  posix_spawn_file_actions_t actions_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view search_path(const SpawnRequest& request) {
  constexpr std::string_view otherwise = "/bin:/usr/bin";
  constexpr std::string_view name = "PATH=";
  if (!request.environment) {
    const char* path = std::getenv("PATH");
    return path != nullptr ? path : otherwise;
  }
  for (const auto& entry : *request.environment)
    if (entry.starts_with(name)) return std::string_view(entry).substr(name.size());
  return otherwise;
}

// Relative paths are meant from the process's working directory.
std::string seen_from_here(const SpawnRequest& request, const std::string& path) {
  return request.cwd.empty() || path.starts_with('/') ? path : request.cwd + "/" + path;
}

bool is_program(const std::string& path) {
  struct stat found{};
  return ::access(path.c_str(), X_OK) == 0 && ::stat(path.c_str(), &found) == 0 &&
         S_ISREG(found.st_mode);
}

// Ours, not posix_spawnp's: that one searches this program's PATH, whatever the environment.
std::string find_program(const SpawnRequest& request) {
  if (request.program.empty() || request.program.find('/') != std::string::npos)
    return request.program;
  int error = ENOENT;
  std::string_view rest = search_path(request);
  for (bool more = true; more;) {
    const auto colon = rest.find(':');
    more = colon != std::string_view::npos;
    const auto directory = rest.substr(0, colon);
    rest = more ? rest.substr(colon + 1) : std::string_view();
    const std::string path =
        (directory.empty() ? std::string(".") : std::string(directory)) + "/" + request.program;
    if (is_program(seen_from_here(request, path))) return path;
    if (errno == EACCES) error = EACCES;
  }
  fail(error, request.what);
}

// posix_spawn says what went wrong and not where.
void check_directory(const SpawnRequest& request) {
  if (request.cwd.empty()) return;
  struct stat found{};
  const std::string what = request.what + ": working directory '" + request.cwd + "'";
  if (::stat(request.cwd.c_str(), &found) != 0) fail(errno, what);
  if (!S_ISDIR(found.st_mode)) fail(ENOTDIR, what);
  if (::access(request.cwd.c_str(), X_OK) != 0) fail(errno, what);
}

void check_text(const std::string& text, const char* name, const SpawnRequest& request) {
  if (text.find('\0') == std::string::npos) return;
  throw std::invalid_argument(request.what.c_str() + (std::string(": a NUL in ") + name));
}

}  // namespace

void check(const SpawnRequest& request) {
  check_text(request.program, "the program's name", request);
  check_text(request.cwd, "the working directory", request);
  for (const auto& argument : request.arguments) check_text(argument, "an argument", request);
  if (!request.environment) return;
  for (const auto& entry : *request.environment) {
    check_text(entry, "an environment variable", request);
    if (const auto at = entry.find('='); at == 0 || at == std::string::npos)
      throw std::invalid_argument(request.what + ": '" + entry +
                                  "' is no environment variable: expected NAME=value");
  }
}

pid_t spawn(const SpawnRequest& request) {
  check_directory(request);
  const std::string path = find_program(request);
  const FileActions actions(request);
  const Attributes attributes(request);
  const auto arguments = pointers_to(request.arguments);
  std::vector<char*> variables;
  if (request.environment) variables = pointers_to(*request.environment);
  pid_t pid = -1;
  const Unbound unbound;
  must(::posix_spawn(&pid, path.c_str(), actions.get(), attributes.get(), arguments.data(),
                     request.environment ? variables.data() : environ),
       request);
  return pid;
}

}  // namespace coil::detail

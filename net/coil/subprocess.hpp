// create_subprocess_exec, create_subprocess_shell, Process (asyncio's): other programs.
#pragma once

#include <coil/coro.hpp>
#include <coil/stream.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coil {

namespace detail {

class Child;

template <class T>
concept Text = std::is_convertible_v<const T&, std::string_view>;
template <class T>
concept TextPair = requires(const T& pair) {
  { pair.first } -> std::convertible_to<std::string_view>;
  { pair.second } -> std::convertible_to<std::string_view>;
};
template <class R>
using ElementOf = std::remove_cvref_t<decltype(*std::declval<const R&>().begin())>;

}  // namespace detail

// Where a process's standard input, output or error leads: PIPE, DEVNULL, STDOUT (errors go where
// the output goes), or a descriptor of this program, which keeps it. By default it is inherited.
class Stdio {
 public:
  constexpr Stdio() noexcept = default;
  constexpr Stdio(int fd) noexcept  // NOLINT(google-explicit-constructor): as in asyncio
      : kind_(Kind::Descriptor), fd_(fd) {}

  // For Coil's own use.
  enum class Kind : std::uint8_t { Inherited, Pipe, DevNull, Stdout, Descriptor };
  constexpr explicit Stdio(Kind kind) noexcept : kind_(kind) {}
  [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
  [[nodiscard]] constexpr int fd() const noexcept { return fd_; }

 private:
  Kind kind_ = Kind::Inherited;
  int fd_ = -1;
};

inline constexpr Stdio PIPE{Stdio::Kind::Pipe};
inline constexpr Stdio DEVNULL{Stdio::Kind::DevNull};
inline constexpr Stdio STDOUT{Stdio::Kind::Stdout};

// All of a process's environment variables: pairs, {{"LANG", "C"}, {"TZ", "UTC"}}, a map, or texts
// "LANG=C" in a vector. Default-constructed ({} too, nullopt) it stands for this program's own.
class ProcessEnvironment {
 public:
  ProcessEnvironment() noexcept = default;
  ProcessEnvironment(std::nullopt_t) noexcept {}  // NOLINT(google-explicit-constructor): as {}
  ProcessEnvironment(std::initializer_list<std::pair<std::string_view, std::string_view>> all)
      : entries_(std::in_place) {
    for (const auto& [name, value] : all) add(name, value);
  }
  template <class R>
    requires detail::TextPair<detail::ElementOf<R>> || detail::Text<detail::ElementOf<R>>
  ProcessEnvironment(const R& all)  // NOLINT(google-explicit-constructor): as a map
      : entries_(std::in_place) {
    for (const auto& one : all) {
      if constexpr (detail::TextPair<detail::ElementOf<R>>) {
        add(one.first, one.second);
      } else {
        entries_->emplace_back(std::string_view(one));
      }
    }
  }

  // For Coil's own use.
  [[nodiscard]] const std::optional<std::vector<std::string>>& entries() const noexcept {
    return entries_;
  }

 private:
  void add(std::string_view name, std::string_view value);

  std::optional<std::vector<std::string>> entries_;
};

struct SubprocessOptions {
  Stdio stdin_ = {};
  Stdio stdout_ = {};
  Stdio stderr_ = {};
  ProcessEnvironment env = {};
  std::string_view cwd = {};  // its working directory; "": this program's
};

// What communicate() gives: all that the process wrote; "" where that was not a PIPE.
struct ProcessOutput {
  std::string out;
  std::string err;
};

// A process that was started. A shared handle: copies mean the same process, and its members may be
// called from any task of the Runner. Each process that has ended is reaped at once, whether
// somebody waits for it or not. When the last handle goes while the process runs, it is killed
// (debug mode reports it); so it is when the Runner closes.
class Process {
 public:
  Process(const Process& other) noexcept;
  Process(Process&& other) noexcept : child_(std::exchange(other.child_, nullptr)) {}
  Process& operator=(Process other) noexcept {
    std::swap(child_, other.child_);
    return *this;
  }
  ~Process();

  [[nodiscard]] int pid() const;
  // How it ended: its exit code, or -signal when a signal has killed it; nothing while it runs. 255
  // if that cannot be known: the program ignores SIGCHLD, or has reaped it itself.
  [[nodiscard]] std::optional<int> returncode() const;
  // Until it has ended: its returncode(). Any number of tasks may wait. Cancelled, the wait ends
  // and the process goes on: `co_await wait_for(process.wait(), 1s)`, then terminate(). A process
  // that writes to a PIPE that nobody reads may never end: communicate() reads.
  Coro<int> wait() const;
  // Writes `input` to the process's input and closes that, reads its output and errors to their
  // ends at the same time, so that no full pipe can block it, and waits for its end. All of it is
  // kept in memory. Input that the process does not read, or has no PIPE for, is dropped.
  // Cancelled, it kills the process and awaits its end, then throws CancelledError.
  Coro<ProcessOutput> communicate(std::string_view input = {}) const;
  Coro<ProcessOutput> communicate(std::span<const std::byte> input) const;

  // Once the process has ended these do nothing; they never reach another process that was given
  // its number. Throw std::system_error: EINVAL if there is no such signal, EPERM.
  void send_signal(int signal) const;
  void terminate() const;  // SIGTERM
  void kill() const;       // SIGKILL

  // This program's ends of its pipes. std::runtime_error if it was not started with a PIPE there.
  [[nodiscard]] StreamWriter stdin_() const;
  [[nodiscard]] StreamReader stdout_() const;
  [[nodiscard]] StreamReader stderr_() const;

  // For Coil's own use.
  explicit Process(detail::Child* child) noexcept : child_(child) {}
  [[nodiscard]] detail::Child& child() const;

 private:
  detail::Child* child_;
};

namespace detail {

Coro<Process> start_process(std::string_view program, std::vector<std::string> arguments,
                            const SubprocessOptions& options);

}  // namespace detail

// Starts a program: `create_subprocess_exec("ls", {"-l", "/tmp"}, {.stdout_ = PIPE})`. One without
// a '/' is looked for in PATH (of `env`, if that is given). Arguments are passed on as they are.
//
// The process has three descriptors and no others, the signal mask with which this program began,
// and may run on all its processors. Its pipes are real ones. The loop waits until the program is
// loaded, which takes as long as the disk does.
//
// Throws std::system_error that names the program (ENOENT, EACCES, ...) or the working directory,
// or for a missing descriptor; ENOTSUP under Backend::sim; std::invalid_argument for a NUL in a
// text, or an environment variable without a name. Nothing has been started then.
[[nodiscard]] inline Coro<Process> create_subprocess_exec(
    std::string_view program, std::initializer_list<std::string_view> args = {},
    const SubprocessOptions& options = {}) {
  return detail::start_process(program, std::vector<std::string>(args.begin(), args.end()),
                               options);
}
// The same with a vector, array or span of texts.
template <class R>
  requires detail::Text<detail::ElementOf<R>>
[[nodiscard]] Coro<Process> create_subprocess_exec(std::string_view program, const R& args,
                                                   const SubprocessOptions& options = {}) {
  std::vector<std::string> copies;
  for (const auto& arg : args) copies.emplace_back(std::string_view(arg));
  return detail::start_process(program, std::move(copies), options);
}

// Runs a command line in /bin/sh. What comes from elsewhere must be quoted by the caller.
[[nodiscard]] Coro<Process> create_subprocess_shell(std::string_view command,
                                                    const SubprocessOptions& options = {});

}  // namespace coil

#include "terminate.hpp"

#include <signal.h>
#include <unistd.h>

#include <coil/detail/task_view.hpp>
#include <coil/exceptions.hpp>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

namespace coil::detail {
namespace {

std::mutex mutex;
std::exception_ptr last_thrown;
std::vector<StackFrame> last_stack;
std::terminate_handler previous = nullptr;
bool installed = false;  // once: a handler that was set after ours may call ours

// As if it had never been handled, also where this thread blocks it.
void end_by(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(signal);
}

[[noreturn]] void on_terminate() {
  const std::exception_ptr error = std::current_exception();
  std::exception_ptr ours;
  std::vector<StackFrame> stack;
  {
    const std::lock_guard lock(mutex);
    ours = last_thrown;
    stack = last_stack;
  }
  if (error && error == ours) {
    std::fflush(stdout);
    if (is_base_error(error)) end_by(is_termination_request(error) ? SIGTERM : SIGINT);
    std::string text = "coil: unhandled exception: " + describe(error) + "\n";
    if (!stack.empty())
      text += "  await stack (most recent await last):\n" + format_stack(stack, "    ");
    std::fputs(text.c_str(), stderr);
    ::_exit(1);
  }
  if (previous != nullptr) previous();
  std::abort();
}

}  // namespace

void end_like_python_if_uncaught(const std::exception_ptr& error,
                                 std::vector<StackFrame> stack) noexcept {
  const std::lock_guard lock(mutex);
  last_thrown = error;
  last_stack = std::move(stack);
  if (installed) return;
  installed = true;
  previous = std::set_terminate(&on_terminate);
}

}  // namespace coil::detail

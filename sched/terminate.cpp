#include "terminate.hpp"

#include <signal.h>
#include <unistd.h>

#include <coil/exceptions.hpp>
#include <cstdio>
#include <mutex>

namespace coil::detail {
namespace {

std::mutex mutex;
std::exception_ptr last_thrown;
std::terminate_handler previous = nullptr;
bool installed = false;  // once: a handler that was set after ours may call ours

[[noreturn]] void on_terminate() {
  const std::exception_ptr error = std::current_exception();
  std::exception_ptr ours;
  {
    const std::lock_guard lock(mutex);
    ours = last_thrown;
  }
  if (error && error == ours) {
    std::fflush(stdout);
    if (is_base_error(error)) {
      ::signal(SIGINT, SIG_DFL);
      sigset_t interrupt;
      sigemptyset(&interrupt);
      sigaddset(&interrupt, SIGINT);
      pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
      ::raise(SIGINT);
    }
    std::fprintf(stderr, "coil: unhandled exception: %s\n", describe(error).c_str());
    ::_exit(1);
  }
  if (previous != nullptr) previous();
  std::abort();
}

}  // namespace

void end_like_python_if_uncaught(const std::exception_ptr& error) noexcept {
  const std::lock_guard lock(mutex);
  last_thrown = error;
  if (installed) return;
  installed = true;
  previous = std::set_terminate(&on_terminate);
}

}  // namespace coil::detail

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
  const auto current = std::get_terminate();
  if (current == &on_terminate) return;
  previous = current;
  std::set_terminate(&on_terminate);
}

}  // namespace coil::detail

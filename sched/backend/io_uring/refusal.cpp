#include "refusal.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace coil::detail::uring {
namespace {

// kernel.io_uring_disabled (6.6 and later), or -1: 1 = only for a group, 2 = for nobody.
int disabled_by_sysctl() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen("/proc/sys/kernel/io_uring_disabled", "re"), &std::fclose);
  int value = -1;
  if (file && std::fscanf(file.get(), "%d", &value) != 1) value = -1;
  return value;
}

std::string kernel_release() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "?";
}

std::string limit(int resource) {
  rlimit limits{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limits) != 0) return "?";
  return limits.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limits.rlim_cur);
}

std::string reason(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      if (const int level = disabled_by_sysctl(); level > 0) {
        return "sysctl kernel.io_uring_disabled is " + std::to_string(level) +
               "; set it to 0 (or join kernel.io_uring_group)";
      }
      return "forbidden to this process, most likely by a seccomp filter as containers have it by "
             "default; allow the io_uring system calls (docker: --security-opt seccomp=...)";
    case ENOSYS:
      return "kernel " + kernel_release() +
             " has no io_uring, or a seccomp filter hides it; use Linux 6.1 or later";
    case EINVAL:
      return "kernel " + kernel_release() +
             " does not know what was asked for; use Linux 6.1 or later";
    case ENOMEM:
      return "no memory for its queues (RLIMIT_MEMLOCK is " + limit(RLIMIT_MEMLOCK) +
             ", RLIMIT_AS is " + limit(RLIMIT_AS) +
             "); raise the limit (ulimit -l, ulimit -v) or use fewer loops";
    case EMFILE:
      return "this process has no descriptor left (RLIMIT_NOFILE is " + limit(RLIMIT_NOFILE) +
             "; a loop takes two); raise it (ulimit -n) or use fewer loops";
    case ENFILE:
      return "the system has no descriptor left; raise sysctl fs.file-max";
    default:
      return "the kernel refuses it";
  }
}

}  // namespace

void refuse(int error, std::string_view tried) {
  std::string text = "io_uring: ";
  text.append(tried).append(" failed: ").append(reason(error));
  throw std::system_error(error, std::system_category(), text);
}

void refuse_old_kernel(std::string_view missing) {
  std::string text = "io_uring: kernel " + kernel_release() + " lacks ";
  text.append(missing).append("; use Linux 6.1 or later");
  throw std::system_error(ENOSYS, std::system_category(), text);
}

}  // namespace coil::detail::uring

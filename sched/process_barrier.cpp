#include "process_barrier.hpp"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <coil/detail/check.hpp>

namespace coil::detail {
namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

bool process_barrier_works() noexcept {
  static const bool works = membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  return works;
}

void process_barrier() noexcept {
  COIL_CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), "membarrier(2) fails after it worked");
}

}  // namespace coil::detail

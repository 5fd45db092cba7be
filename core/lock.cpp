#include <coil/lock.hpp>
#include <coil/would_block.hpp>
#include <stdexcept>

namespace coil {

void Lock::acquire_nowait() {
  if (!permits_.try_take()) throw WouldBlock();
}

void Lock::throw_not_acquired() { throw std::runtime_error("Lock is not acquired."); }

}  // namespace coil

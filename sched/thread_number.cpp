#include "thread_number.hpp"

#include <atomic>

namespace coil::detail {
namespace {

constinit std::atomic<std::uint64_t> last{0};
constinit thread_local std::uint64_t mine = 0;

}  // namespace

std::uint64_t this_thread_number() noexcept {
  if (mine == 0) [[unlikely]]
    mine = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return mine;
}

}  // namespace coil::detail

#include <coil/detail/check.hpp>
#include <cstdio>
#include <cstdlib>

namespace coil::detail {

void fail_invariant(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "coil: broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace coil::detail

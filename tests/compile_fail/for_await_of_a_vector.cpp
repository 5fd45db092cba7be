// expect: COIL_FOR_AWAIT: not an AsyncIterable
#include <coil/async_iterable.hpp>
#include <optional>
#include <vector>

#ifdef COIL_FIXED
struct Items {
  coil::Coro<std::optional<int>> next() { co_return std::nullopt; }
};
#else
using Items = std::vector<int>;
#endif

coil::Coro<> iterate() {
  Items items;
  COIL_FOR_AWAIT([[maybe_unused]] auto x, items) {}
}

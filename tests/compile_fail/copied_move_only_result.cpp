// expect: use co_await std::move\(future\)
#include <coil/coro.hpp>
#include <coil/future.hpp>
#include <memory>
#include <utility>

coil::Coro<> copy(coil::Future<std::unique_ptr<int>> future) {
#ifdef COIL_FIXED
  auto value = co_await std::move(future);
#else
  auto value = co_await future;
#endif
  static_cast<void>(value);
}

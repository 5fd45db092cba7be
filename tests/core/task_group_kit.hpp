// What the tests of TaskGroup share: tasks that crash, sleep or take their time.
#pragma once

#include <atomic>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <stdexcept>

namespace group_kit {

using namespace coil;  // NOLINT(google-build-using-namespace): a header of tests

struct ZeroDivision : std::runtime_error {
  ZeroDivision() : std::runtime_error("division by zero") {}
};
struct ValueError : std::runtime_error {
  ValueError() : std::runtime_error("value") {}
};

inline Coro<int> give(int value, int yields = 1) {
  co_await kit::yield(yields);
  co_return value;
}
template <class E>
Coro<> crash(int yields = 1) {
  co_await kit::yield(yields);
  throw E();
}
// Sleeps until cancelled; counts that.
inline Coro<> sleeper(std::atomic<int>& cancelled) {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
    ++cancelled;
    throw;
  }
}
inline Coro<> crash_on_cancel() {
  try {
    co_await sleep_forever();
  } catch (const CancelledError&) {
  }
  throw ZeroDivision();
}
// Until the task sleeps in some await.
inline Coro<> suspended(TaskRef task) {
  co_await kit::until([&] { return task.get()->suspended(); });
  co_await kit::yield(5);
}

}  // namespace group_kit

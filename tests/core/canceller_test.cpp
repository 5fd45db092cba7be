// The first CancelScope::canceller() asked for by two tasks at once.
#include <atomic>
#include <chrono>
#include <coil/cancel_scope.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <optional>
#include <string>

using namespace coil;
using namespace std::chrono_literals;

namespace {

TEST(canceller, asked_for_on_two_loops_at_once_is_the_same_and_harmless_after_the_end) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  run(
      []() -> Coro<> {
        for (int i = 0; i < 3'000; ++i) {
          std::optional<Canceller> here;
          std::optional<Canceller> there;
          std::atomic<int> ready{0};
          co_await with_cancel_scope([&](CancelScope& scope) -> Coro<> {
            auto other = create_task([&]() -> Coro<> {
              ++ready;
              while (ready < 2) {
              }
              there.emplace(scope.canceller());
              co_return;
            });
            const auto until = Clock::now() + 2ms;
            while (ready < 1 && Clock::now() < until) {
            }
            ++ready;
            here.emplace(scope.canceller());
            co_await other;
          });
          here->cancel("too late");
          there->cancel("too late");
        }
      }(),
      {.loops = 2});
}

TEST(cancel_scope, is_cancelled_by_the_time_any_of_several_cancels_returns) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  run(
      []() -> Coro<> {
        for (int i = 0; i < 300; ++i) {
          CancelScope scope;
          auto other = create_task([&]() -> Coro<> {
            scope.cancel(std::string(64, 'b'));
            EXPECT_TRUE(scope.cancel_called());
            co_return;
          });
          scope.cancel(std::string(64, 'a'));
          EXPECT_TRUE(scope.cancel_called());
          co_await other;
        }
      }(),
      {.loops = 2});
}

}  // namespace

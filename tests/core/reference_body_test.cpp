// Functions that give references, in everything that runs a function around something.
#include <coil/cancel_scope.hpp>
#include <coil/loop.hpp>
#include <coil/nursery.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <type_traits>

using namespace coil;
using kit::on_loops;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

struct Kept {
  std::string text = "here";
  Coro<std::string&> reference() {
    co_await kit::yield(1);
    co_return text;
  }
  Coro<const std::string&> constant() {
    co_await kit::yield(1);
    co_return text;
  }
};

TEST(reference_body, comes_out_of_scopes) {
  on_loops([]() -> Coro<> {
    Kept kept;
    auto result = co_await with_cancel_scope(
        [&](CancelScope&) -> Coro<std::string&> { co_return co_await kept.reference(); });
    static_assert(std::is_same_v<decltype(result.value()), std::string&>);
    EXPECT_EQ(&result.value(), &kept.text);
    EXPECT_EQ(&(co_await move_on_after(10s, [&] { return kept.reference(); })).value(), &kept.text);
    std::string& failing = co_await fail_after(10s, [&] { return kept.reference(); });
    EXPECT_EQ(&failing, &kept.text);
    auto none = co_await move_on_after(0s, [&]() -> Coro<std::string&> {
      co_await sleep_forever();
      co_return kept.text;
    });
    EXPECT_TRUE(none.cancelled_caught());
    EXPECT_THROW((void)none.value(), std::bad_optional_access);
  });
}

TEST(reference_body, comes_out_of_time_limits) {
  on_loops([]() -> Coro<> {
    Kept kept;
    std::string& limited = co_await timeout(10s, [&] { return kept.reference(); });
    EXPECT_EQ(&limited, &kept.text);
    const std::string& constant =
        co_await timeout_at(std::nullopt, [&](Timeout&) { return kept.constant(); });
    EXPECT_EQ(&constant, &kept.text);
    std::string& waited = co_await wait_for(kept.reference(), 10s);
    EXPECT_EQ(&waited, &kept.text);
    auto task = create_task(kept.reference());
    std::string& of_task = co_await wait_for(task, std::nullopt);
    EXPECT_EQ(&of_task, &kept.text);
    co_await thrown_by<TimeoutError>(wait_for(kept.reference(), 0s));
  });
}

TEST(reference_body, comes_out_of_groups_and_nurseries) {
  on_loops([]() -> Coro<> {
    Kept kept;
    std::string& grouped = co_await with_task_group([&](TaskGroup&) { return kept.reference(); });
    EXPECT_EQ(&grouped, &kept.text);
    auto nursed = co_await open_nursery([&](Nursery&) { return kept.reference(); });
    EXPECT_EQ(&nursed.value(), &kept.text);
  });
}

TEST(reference_body, what_can_only_be_moved_comes_out_too) {
  on_loops([]() -> Coro<> {
    const auto give = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    auto scoped = co_await with_cancel_scope(give);
    EXPECT_EQ(*std::move(scoped).value(), 3);
    EXPECT_EQ(*co_await timeout(10s, give), 3);
    EXPECT_EQ(*co_await fail_after(10s, give), 3);
    EXPECT_EQ(*co_await with_task_group([&](TaskGroup&) { return give(); }), 3);
    EXPECT_EQ(*co_await wait_for(give(), 10s), 3);
  });
}

}  // namespace

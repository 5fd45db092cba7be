// Whatever takes a coroutine to run later also takes (fn, args...), and keeps both alive.
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/nursery.hpp>
#include <coil/run.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <coil/task_group.hpp>
#include <coil/timeout.hpp>
#include <functional>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using namespace std::chrono_literals;

namespace {

const std::string long_text(100, 'x');

Coro<int> add(int a, std::unique_ptr<int> b) {
  co_await kit::yield(2);
  co_return a + *b;
}
Coro<std::string> copy_of(std::string_view view) {
  co_await kit::yield(2);
  co_return std::string(view);
}
struct Counter {
  int value = 0;
  Coro<int> count(int by) {
    co_await kit::yield(2);
    co_return value += by;
  }
  [[nodiscard]] Coro<int> read() const {
    co_await kit::yield(1);
    co_return value;
  }
};
// A callable that can only be moved.
auto owner(int value) {
  return [owned = std::make_unique<int>(value)]() -> Coro<int> {
    co_await kit::yield(2);
    co_return *owned;
  };
}

TEST(kept_arguments, are_taken_by_everything_that_runs_a_coroutine_later) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await create_task(add, 1, std::make_unique<int>(2)), 3);
    EXPECT_EQ(co_await get_running_loop().create_task(add, 1, std::make_unique<int>(3)), 4);
    EXPECT_EQ(co_await shield(add, 1, std::make_unique<int>(4)), 5);
    EXPECT_EQ(co_await gather(add, 1, std::make_unique<int>(5)), std::tuple(6));
    EXPECT_EQ(
        co_await run_coroutine_threadsafe(get_running_loop(), add, 1, std::make_unique<int>(6)), 7);
    co_await with_task_group([](TaskGroup& group) -> Coro<> {
      EXPECT_EQ(co_await group.create_task(add, 1, std::make_unique<int>(7)), 8);
    });
    int sum = 0;
    co_await open_nursery([&](Nursery& n) -> Coro<> {
      n.start_soon(
          [&](int a, std::unique_ptr<int> b) -> Coro<> { sum = co_await add(a, std::move(b)); }, 1,
          std::make_unique<int>(8));
      co_return;
    });
    EXPECT_EQ(sum, 9);
  });
}

TEST(kept_arguments, are_taken_by_run) {
  EXPECT_EQ(run(add, 1, std::make_unique<int>(2)), 3);
  EXPECT_EQ(run(owner(4), {.loops = 1}), 4);
  EXPECT_EQ(run(owner(5)), 5);
  const RunOptions options{.loops = 1};
  EXPECT_EQ(run(owner(6), options), 6);
}

TEST(kept_arguments, a_function_that_can_only_be_moved_is_kept) {
  on_loops([]() -> Coro<> {
    EXPECT_EQ(co_await create_task(owner(1)), 1);
    EXPECT_EQ(co_await create_task(owner(2), {.name = "owner"}), 2);
    EXPECT_EQ(co_await shield(owner(3)), 3);
    EXPECT_EQ(co_await gather(owner(4), owner(5)), std::tuple(4, 5));
    EXPECT_EQ(co_await run_coroutine_threadsafe(owner(6), get_running_loop()), 6);
    EXPECT_EQ(co_await wait_for(create_task(owner(7)), 10s), 7);
  });
}

TEST(kept_arguments, a_member_function_is_called_on_its_object) {
  on_loops([]() -> Coro<> {
    Counter counter;
    EXPECT_EQ(co_await create_task(&Counter::count, &counter, 1), 1);
    EXPECT_EQ(co_await create_task(&Counter::count, std::ref(counter), 2), 3);
    EXPECT_EQ(co_await create_task(&Counter::count, Counter{10}, 4), 14) << "the object is kept";
    EXPECT_EQ(co_await create_task(&Counter::count, std::make_shared<Counter>(), 5), 5);
    EXPECT_EQ(co_await create_task(&Counter::read, &std::as_const(counter)), 3);
  });
}

TEST(kept_arguments, text_given_as_a_view_is_copied) {
  on_loops([]() -> Coro<> {
    auto text = std::make_unique<std::string>(long_text);
    const auto view = std::string_view(*text);
    auto task = create_task(copy_of, view);
    auto shielded = shield(copy_of, view);
    auto gathered = gather(copy_of, view);
    text.reset();
    EXPECT_EQ(co_await task, long_text);
    EXPECT_EQ(co_await std::move(shielded), long_text);
    EXPECT_EQ(co_await std::move(gathered), std::tuple(long_text));
  });
}

TEST(kept_arguments, text_given_as_a_view_to_groups_and_loops_is_copied_too) {
  on_loops([]() -> Coro<> {
    auto text = std::make_unique<std::string>(long_text);
    const auto view = std::string_view(*text);
    std::string seen;
    auto keep = [&seen](std::string_view given) -> Coro<> {
      co_await kit::yield(2);
      seen = given;
    };
    Task<std::string> in_group;
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      in_group = group.create_task(copy_of, view);
      co_await open_nursery([&](Nursery& nursery) -> Coro<> {
        nursery.start_soon(keep, view);
        auto on_loop = get_running_loop().create_task(copy_of, view);
        auto from_handle = get_running_loop().handle().create_task(copy_of, view);
        auto threadsafe = run_coroutine_threadsafe(get_running_loop(), copy_of, view);
        text->assign(text->size(), '?');
        text.reset();
        EXPECT_EQ(co_await on_loop, long_text);
        EXPECT_EQ(co_await from_handle, long_text);
        EXPECT_EQ(co_await threadsafe, long_text);
      });
    });
    EXPECT_EQ(co_await in_group, long_text);
    EXPECT_EQ(seen, long_text);
  });
}

TEST(kept_arguments, references_stay_references) {
  on_loops([]() -> Coro<> {
    int value = 1;
    co_await create_task(
        [](int& x) -> Coro<> {
          co_await kit::yield(1);
          x = 2;
        },
        std::ref(value));
    EXPECT_EQ(value, 2);
  });
}

TEST(kept_arguments, a_function_may_give_any_awaitable) {
  on_loops([]() -> Coro<> {
    co_await create_task([] { return sleep(1ms); });
    auto task = create_task(copy_of, std::string_view(long_text));
    EXPECT_EQ(co_await create_task([task] { return task; }), long_text);
    EXPECT_EQ(co_await timeout(10s, [&] { return task; }), long_text);
    EXPECT_EQ((co_await move_on_after(10s, [&] { return task; })).value(), long_text);
    EXPECT_EQ(task.result(), long_text) << "the result of a shared handle was moved out";
  });
}

}  // namespace

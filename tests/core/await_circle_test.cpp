// Tasks that await themselves, or each other in a circle: an error at once, or an end by a cancel.
#include <coil/future.hpp>
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/shield.hpp>
#include <coil/task.hpp>
#include <coil/timeout.hpp>
#include <coil/wait.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using namespace std::chrono_literals;

namespace {

bool suspended(const Task<>& task) { return TaskRef(task).get()->suspended(); }

// `count` tasks, each of which awaits the next, and the last one the first.
Coro<std::vector<Task<>>> circle(std::size_t count) {
  auto go = create_future<>();
  std::vector<Task<>> tasks;
  auto others = std::make_shared<std::vector<Task<>>>();
  for (std::size_t i = 0; i < count; ++i)
    tasks.push_back(create_task([go, others, next = (i + 1) % count]() -> Coro<> {
      co_await shield(go);
      const Task<> awaited = (*others)[next];
      co_await awaited;
    }));
  *others = tasks;
  go.set_result();
  co_await kit::until([&] {
    for (auto& task : tasks)
      if (!suspended(task)) return false;
    return go.done();
  });
  co_await kit::yield(4);
  others->clear();
  co_return tasks;
}

TEST(await_circle, of_one_task_throws_at_once) {
  on_loops([]() -> Coro<> {
    Task<> self;
    auto go = create_future<>();
    self = create_task(
        [&, go]() -> Coro<> {
          co_await go;
          const std::string text = "Task cannot await on itself: narcissus";
          EXPECT_EQ(co_await thrown_by<std::runtime_error>(self), text);
          EXPECT_EQ(co_await thrown_by<std::runtime_error>(shield(self)), text);
          EXPECT_EQ(co_await thrown_by<std::runtime_error>(wait_for(self, 1h)), text);
          EXPECT_EQ(co_await thrown_by<std::runtime_error>(gather(self, sleep(0ms))), text);
          EXPECT_EQ(co_await thrown_by<std::runtime_error>(wait({self})), text);
          co_await sleep(0ms);  // it goes on as if nothing had happened
        },
        {.name = "narcissus"});
    go.set_result();
    co_await self;
  });
}

TEST(await_circle, ends_when_one_of_its_tasks_is_cancelled) {
  on_loops([]() -> Coro<> {
    for (const std::size_t count : {2U, 3U, 40U, 1000U}) {
      auto tasks = co_await circle(count);
      tasks[1].cancel("broken");
      for (auto& task : tasks) co_await thrown_by<CancelledError>(task);
      for (auto& task : tasks) EXPECT_EQ(task.cancelling(), 1);
    }
  });
}

TEST(await_circle, ends_when_a_task_that_awaits_it_is_cancelled) {
  on_loops([]() -> Coro<> {
    auto tasks = co_await circle(3);
    auto outside = create_task([&]() -> Coro<> { co_await tasks[0]; });
    co_await kit::until([&] { return suspended(outside); });
    outside.cancel();
    co_await thrown_by<CancelledError>(outside);
    // The one that it awaited ends first, the others one after the other.
    for (auto& task : tasks) {
      co_await kit::until([&] { return task.done(); });
      EXPECT_TRUE(task.cancelled());
    }
  });
}

TEST(await_circle, ends_at_a_time_limit_of_one_of_its_tasks) {
  on_loops([]() -> Coro<> {
    Task<> a;
    Task<> b;
    auto go = create_future<>();
    bool limit = false;
    a = create_task([&, go]() -> Coro<> {
      co_await shield(go);
      try {
        co_await timeout(2ms, [&]() -> Coro<> { co_await b; });
      } catch (const TimeoutError&) {
        limit = true;
      }
      EXPECT_EQ(current_task().cancelling(), 0);
    });
    b = create_task([&, go]() -> Coro<> {
      co_await shield(go);
      co_await a;
    });
    go.set_result();
    co_await a;
    EXPECT_TRUE(limit);
    co_await kit::until([&] { return b.done(); });
  });
}

TEST(await_circle, ends_when_a_scope_in_it_is_cancelled) {
  on_loops([]() -> Coro<> {
    Task<> a;
    Task<> b;
    auto go = create_future<>();
    bool caught = false;
    a = create_task([&, go]() -> Coro<> {
      co_await shield(go);
      caught = (co_await move_on_after(2ms, [&]() -> Coro<> { co_await b; })).cancelled_caught();
      EXPECT_EQ(current_task().cancelling(), 0);
    });
    b = create_task([&, go]() -> Coro<> {
      co_await shield(go);
      co_await a;
    });
    go.set_result();
    co_await a;
    EXPECT_TRUE(caught);
    co_await kit::until([&] { return b.done(); });
  });
}

TEST(await_circle, through_a_gather_ends_too) {
  on_loops([]() -> Coro<> {
    for (const bool cancel_gatherer : {true, false}) {
      Task<> gatherer;
      Task<> a;
      auto go = create_future<>();
      auto b = create_task(sleep_forever());
      gatherer = create_task([&, go]() -> Coro<> {
        co_await shield(go);
        (void)co_await gather_results(a, b);
      });
      a = create_task([&, go]() -> Coro<> {
        co_await shield(go);
        co_await gatherer;
      });
      go.set_result();
      co_await kit::yield(4);
      co_await kit::until([&] { return suspended(a) && suspended(gatherer); });
      (cancel_gatherer ? gatherer : a).cancel();
      co_await thrown_by<CancelledError>(gatherer);
      co_await thrown_by<CancelledError>(a);
      EXPECT_EQ(gatherer.cancelling(), 1);
      EXPECT_EQ(a.cancelling(), 1);
    }
  });
}

TEST(await_circle, is_not_seen_where_two_await_the_same) {
  on_one_loop([]() -> Coro<> {
    int cancels = 0;
    auto shared = create_task([&]() -> Coro<int> {
      try {
        co_await sleep_forever();
      } catch (const CancelledError&) {
        ++cancels;
      }
      co_await kit::yield(3);
      co_return 4;
    });
    const auto through = [&]() -> Coro<int> { co_return co_await shared; };
    auto both = create_task([&]() -> Coro<> { (void)co_await gather(through(), through()); });
    co_await kit::yield(3);
    both.cancel();
    co_await thrown_by<CancelledError>(both);
    EXPECT_TRUE(shared.done()) << "one of the two did not wait for its end";
    EXPECT_EQ(co_await shared, 4);
    EXPECT_GE(cancels, 1);
  });
}

}  // namespace

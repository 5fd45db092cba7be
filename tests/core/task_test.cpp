// create_task and Task: order, handles, results, callbacks, names.
#include <algorithm>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using Log = std::vector<std::string>;

namespace {

Coro<int> give(int value) { co_return value; }
Coro<std::string> give_text() {
  co_await kit::yield();
  co_return "a text that is longer than any small string";
}
Coro<> note(Log& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}
Coro<> note_twice(Log& log, std::string text) {
  log.push_back(text + "1");
  co_await sleep(std::chrono::milliseconds(0));
  log.push_back(text + "2");
}

TEST(task, starts_soon_and_not_at_once) {
  on_one_loop([]() -> Coro<> {
    Log log;
    auto task = create_task(note(log, "task"));
    log.emplace_back("main");
    EXPECT_FALSE(task.done());
    co_await task;
    EXPECT_EQ(log, (Log{"main", "task"}));
  });
}

TEST(task, starts_at_once_when_eager) {
  on_one_loop([]() -> Coro<> {
    Log log;
    auto task = create_task(note_twice(log, "eager"), {.eager = true});
    log.emplace_back("main");
    EXPECT_FALSE(task.done());
    co_await task;
    EXPECT_EQ(log, (Log{"eager1", "main", "eager2"}));
    auto done = create_task(give(3), {.eager = true});
    EXPECT_TRUE(done.done());
    EXPECT_EQ(done.result(), 3);
  });
}

TEST(task, runs_in_the_order_in_which_it_became_runnable) {
  on_one_loop([]() -> Coro<> {
    Log log;
    std::vector<Task<>> tasks;
    for (const char* name : {"a", "b", "c"}) tasks.push_back(create_task(note_twice(log, name)));
    for (auto& task : tasks) co_await task;
    EXPECT_EQ(log, (Log{"a1", "b1", "c1", "a2", "b2", "c2"}));
  });
}

TEST(task, goes_behind_all_that_is_ready_when_it_yields) {
  on_one_loop([]() -> Coro<> {
    Log log;
    auto first = create_task(note_twice(log, "a"));
    co_await sleep(std::chrono::milliseconds(0));
    log.emplace_back("main");
    auto second = create_task(note(log, "b"));
    co_await second;
    EXPECT_EQ(log, (Log{"a1", "main", "a2", "b"}));
    co_await first;
  });
}

TEST(task, may_be_awaited_many_times_from_any_loop) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give_text());
    std::vector<Task<std::size_t>> readers;
    for (int i = 0; i < 20; ++i)
      readers.push_back(create_task([task]() -> Coro<std::size_t> {
        co_return (co_await task).size() + (co_await task).size();
      }));
    const auto size = (co_await give_text()).size();
    for (auto& reader : readers) EXPECT_EQ(co_await reader, 2 * size);
    EXPECT_EQ(task.result().size(), size);
  });
}

TEST(task, keeps_its_result_when_another_task_is_made_of_it) {
  on_loops([]() -> Coro<> {
    auto task = create_task(give_text());
    auto wrapper = create_task(task);
    EXPECT_EQ(co_await wrapper, co_await task);
    EXPECT_FALSE(task.result().empty());
  });
}

TEST(task, gives_its_result_away_to_one_who_moves_it) {
  on_loops([]() -> Coro<> {
    auto task =
        create_task([]() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); });
    const std::unique_ptr<int> owned = co_await std::move(task);
    EXPECT_EQ(*owned, 4);
  });
}

TEST(task, goes_on_when_every_handle_is_dropped) {
  on_loops([]() -> Coro<> {
    auto end = create_future<int>();
    (void)create_task([end]() -> Coro<> {
      co_await sleep(std::chrono::milliseconds(1));
      end.set_result(1);
    });
    EXPECT_EQ(co_await end, 1);
  });
}

TEST(task, keeps_function_and_arguments_alive) {
  on_loops([]() -> Coro<> {
    const std::string long_text(100, 'x');
    auto task = [&] {
      std::string captured = long_text;
      return create_task(
          [captured](std::string argument, std::unique_ptr<int> owned) -> Coro<std::string> {
            co_await kit::yield(2);
            co_return captured + argument + std::to_string(*owned);
          },
          std::string(100, 'y'), std::make_unique<int>(1));
    }();
    EXPECT_EQ(co_await task, long_text + std::string(100, 'y') + "1");
  });
}

TEST(task, refuses_to_be_asked_before_it_is_done) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(give(1));
    EXPECT_THROW((void)task.result(), InvalidStateError);
    EXPECT_THROW((void)task.exception(), InvalidStateError);
    co_await task;
    EXPECT_EQ(task.result(), 1);
    EXPECT_EQ(task.exception(), nullptr);
  });
}

TEST(task, throws_cancelled_error_when_asked_after_a_cancel) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(sleep_forever());
    co_await kit::yield();
    EXPECT_TRUE(task.cancel("stop"));
    EXPECT_FALSE(task.cancelled());
    co_await kit::thrown_by<CancelledError>(task);
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(task.done());
    EXPECT_THROW(task.result(), CancelledError);
    EXPECT_THROW((void)task.exception(), CancelledError);
  });
}

TEST(task, cannot_be_completed_from_outside) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(give(1));
    EXPECT_THROW(task.set_result(2), InvalidStateError);
    EXPECT_THROW(task.try_set_exception(std::runtime_error("x")), InvalidStateError);
    EXPECT_EQ(co_await task, 1);
  });
}

TEST(task, gives_its_exception_without_throwing) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task([]() -> Coro<> {
      throw std::logic_error("why");
      co_return;
    });
    co_await kit::until([&] { return task.done(); });
    EXPECT_NE(task.exception(), nullptr);
    EXPECT_FALSE(task.cancelled());
    EXPECT_THROW(task.result(), std::logic_error);
    EXPECT_EQ(co_await kit::thrown_by<std::logic_error>(task), "why");
    EXPECT_EQ(co_await kit::thrown_by<std::logic_error>(task), "why");
  });
}

TEST(task, has_a_name_that_can_be_set) {
  on_one_loop([]() -> Coro<> {
    auto named = create_task(give(1), {.name = "worker"});
    auto one = create_task(give(1));
    auto two = create_task(give(1));
    EXPECT_EQ(named.name(), "worker");
    EXPECT_TRUE(one.name().starts_with("Task-")) << one.name();
    EXPECT_NE(one.name(), two.name());
    one.set_name("renamed");
    EXPECT_EQ(one.name(), "renamed");
    co_await named;
    co_await one;
    co_await two;
    EXPECT_EQ(named.name(), "worker");
  });
}

TEST(task, knows_itself_by_current_task) {
  on_loops([]() -> Coro<> {
    auto task = create_task(
        []() -> Coro<std::string> {
          co_await kit::yield();
          const auto before = current_task();
          co_await kit::yield();
          EXPECT_EQ(before, current_task());
          co_return current_task().name();
        },
        {.name = "me"});
    EXPECT_EQ(co_await task, "me");
    EXPECT_FALSE(TaskRef(task) == current_task());
  });
  EXPECT_FALSE(current_task());
}

TEST(task, is_listed_by_all_tasks_until_it_ends) {
  on_loops([]() -> Coro<> {
    const auto listed = [](const TaskRef& wanted) {
      const auto all = all_tasks();
      return std::find(all.begin(), all.end(), wanted) != all.end();
    };
    auto stop = create_future<>();
    std::vector<Task<>> tasks;
    for (int i = 0; i < 10; ++i)
      tasks.push_back(create_task([stop]() -> Coro<> { co_await stop; }));
    co_await kit::yield(3);
    for (auto& task : tasks) EXPECT_TRUE(listed(task));
    EXPECT_TRUE(listed(current_task()));
    stop.set_result();
    for (auto& task : tasks) co_await task;
    for (auto& task : tasks) EXPECT_FALSE(listed(task));
  });
}

TEST(task, handles_compare_and_hash) {
  on_one_loop([]() -> Coro<> {
    auto one = create_task(give(1));
    auto same = one;
    auto two = create_task(give(2));
    EXPECT_TRUE(one == same);
    EXPECT_FALSE(one == two);
    const std::unordered_set<Task<int>> set{one, same, two};
    EXPECT_EQ(set.size(), 2U);
    const std::unordered_set<TaskRef> refs{one, same, two};
    EXPECT_EQ(refs.size(), 2U);
    EXPECT_TRUE(TaskRef(one));
    EXPECT_FALSE(TaskRef());
    EXPECT_THROW((void)TaskRef().name(), InvalidStateError);
    EXPECT_THROW((void)Task<int>().done(), InvalidStateError);
    co_await one;
    co_await two;
  });
}

TEST(task, calls_back_soon_and_in_order_of_registration) {
  on_one_loop([]() -> Coro<> {
    Log log;
    auto task = create_task([&]() -> Coro<int> {
      log.emplace_back("body");
      co_return 5;
    });
    task.add_done_callback(
        [&](const Future<int>& f) { log.push_back("a" + std::to_string(f.result())); });
    const auto id = task.add_done_callback([&](const Future<int>&) { log.emplace_back("never"); });
    task.add_done_callback([&](const Future<int>&) { log.emplace_back("b"); });
    EXPECT_EQ(task.remove_done_callback(id), 1);
    EXPECT_EQ(task.remove_done_callback(id), 0);
    co_await task;
    co_await kit::yield(2);
    EXPECT_EQ(log, (Log{"body", "a5", "b"}));
    task.add_done_callback([&](const Future<int>&) { log.emplace_back("late"); });
    EXPECT_EQ(log.size(), 3U) << "a callback of a done task is not called inside add_done_callback";
    co_await kit::yield(2);
    EXPECT_EQ(log.back(), "late");
  });
}

TEST(task, calls_back_though_every_handle_is_dropped) {
  on_loops([]() -> Coro<> {
    auto called = create_future<int>();
    create_task(give(6)).add_done_callback(
        [called](const Future<int>& f) { called.set_result(f.result()); });
    EXPECT_EQ(co_await called, 6);
  });
}

TEST(task, calls_back_on_the_loop_that_registered) {
  on_loops([]() -> Coro<> {
    auto stop = create_future<>();
    auto watched = create_task([stop]() -> Coro<> { co_await stop; });
    auto called_on = create_future<Loop*>();
    auto registrar = create_task(
        [&]() -> Coro<> {
          watched.add_done_callback(
              [called_on](const Future<>&) { called_on.set_result(&get_running_loop()); });
          co_return;
        },
        {.affinity = Affinity::loop});
    co_await registrar;
    Loop* const home = &registrar.get_loop();
    co_await kit::yield(3);
    stop.set_result();
    EXPECT_EQ(co_await called_on, home);
  });
}

TEST(task, stays_on_its_loop_when_pinned) {
  on_loops([]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 20; ++i)
      tasks.push_back(create_task(
          []() -> Coro<> {
            Loop* const home = &get_running_loop();
            for (int round = 0; round < 20; ++round) {
              co_await sleep(std::chrono::microseconds(round % 3 == 0 ? 100 : 0));
              EXPECT_EQ(&get_running_loop(), home);
            }
          },
          {.affinity = Affinity::loop}));
    for (auto& task : tasks) co_await task;
  });
}

TEST(task, can_be_made_for_a_loop_from_any_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    Loop& loop = get_running_loop();
    auto result = create_future<int>();
    std::thread thread([&] {
      auto task = loop.create_task(give(11));
      result.set_result(task.get());
    });
    EXPECT_EQ(co_await result, 11);
    thread.join();
    auto answer = create_future<std::string>();
    std::thread other(
        [&] { answer.set_result(run_coroutine_threadsafe(give_text(), loop).get()); });
    EXPECT_FALSE((co_await answer).empty());
    other.join();
  });
}

TEST(task, needs_a_loop) {
  auto coro = give(1);
  EXPECT_THROW((void)create_task(std::move(coro)), NoRunningLoop);
  EXPECT_THROW((void)get_running_loop(), NoRunningLoop);
  EXPECT_EQ(get_running_loop_or_null(), nullptr);
}

TEST(task, is_not_made_of_an_empty_coroutine) {
  on_one_loop([]() -> Coro<> {
    EXPECT_THROW((void)create_task(Coro<int>()), std::invalid_argument);
    co_return;
  });
}

}  // namespace

// TaskRef: every member of Task but the result, comparison, hashing, callbacks.
#include <coil/context.hpp>
#include <coil/loop.hpp>
#include <coil/sleep.hpp>
#include <coil/task.hpp>
#include <coil/task_ref.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;
using kit::thrown_by;
using Log = std::vector<std::string>;

namespace {

Coro<int> give(int value, int yields = 0) {
  co_await kit::yield(yields);
  co_return value;
}

TEST(task_ref, has_every_member_of_its_task) {
  on_loops([]() -> Coro<> {
    auto task = create_task(
        []() -> Coro<> {
          try {
            co_await sleep_forever();
          } catch (const CancelledError&) {
            current_task().uncancel();
          }
          throw std::logic_error("own");
        },
        {.name = "worker"});
    const TaskRef ref = task;
    EXPECT_EQ(ref.name(), "worker");
    ref.set_name("renamed");
    EXPECT_EQ(task.name(), "renamed");
    EXPECT_FALSE(ref.done());
    EXPECT_FALSE(ref.cancelled());
    EXPECT_THROW((void)ref.exception(), InvalidStateError);
    co_await kit::until([&] { return ref.get()->suspended(); });
    EXPECT_EQ(ref.cancelling(), 0);
    EXPECT_TRUE(ref.cancel("stop"));
    co_await kit::until([&] { return ref.done(); });
    EXPECT_EQ(ref.cancelling(), 0);
    EXPECT_NE(ref.exception(), nullptr);
    EXPECT_FALSE(ref.cancel());
    EXPECT_EQ(&ref.get_loop(), &task.get_loop());
    EXPECT_EQ(ref.get_stack().size(), task.get_stack().size());
    EXPECT_FALSE(ref.get_stack().empty()) << "it failed: the coroutine that the exception left";
  });
}

TEST(task_ref, gives_its_tasks_own_context) {
  on_loops([]() -> Coro<> {
    ContextVar<int> number("number", 0);
    const TaskRef ref = create_task([&]() -> Coro<> {
      number.set(5);
      co_return;
    });
    co_await kit::until([&] { return ref.done(); });
    EXPECT_EQ(ref.get_context().get(number), 5);
    EXPECT_EQ(number.get(), 0);
  });
}

// A task that moves: who asks from inside is told the loop that runs it now.
TEST(task_ref, of_a_moving_task_tells_the_loop_that_last_ran_it) {
  on_loops([]() -> Coro<> {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 20; ++i) {
      tasks.push_back(create_task([]() -> Coro<> {
        for (int n = 0; n < 50; ++n) {
          EXPECT_EQ(&current_task().get_loop(), &get_running_loop());
          co_await sleep(std::chrono::microseconds(n % 5));
        }
      }));
    }
    for (auto& task : tasks) co_await task;
    const auto last = create_task([]() -> Coro<Loop*> { co_return &get_running_loop(); });
    EXPECT_EQ(co_await last, &last.get_loop());
  });
}

TEST(task_ref, of_a_cancelled_task_throws_when_asked_for_its_exception) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(sleep_forever());
    task.cancel("stop");
    co_await thrown_by<CancelledError>(task);
    const TaskRef ref = task;
    EXPECT_TRUE(ref.cancelled());
    EXPECT_THROW((void)ref.exception(), CancelledError);
  });
}

TEST(task_ref, calls_back_soon_and_in_order_with_the_task) {
  on_one_loop([]() -> Coro<> {
    Log log;
    auto task = create_task(give(1, 1), {.name = "t"});
    const TaskRef ref = task;
    ref.add_done_callback([&](const TaskRef& r) { log.push_back("a " + r.name()); });
    const auto id = ref.add_done_callback([&](const TaskRef&) { log.emplace_back("never"); });
    task.add_done_callback(
        [&](const Future<int>& f) { log.push_back("b " + std::to_string(f.result())); });
    ref.add_done_callback([&](TaskRef r) { log.push_back(r == ref ? "c same" : "c other"); });
    EXPECT_EQ(task.remove_done_callback(id), 1) << "a handle of the other kind knows it too";
    EXPECT_EQ(ref.remove_done_callback(id), 0);
    co_await task;
    co_await kit::yield(2);
    EXPECT_EQ(log, (Log{"a t", "b 1", "c same"}));
    ref.add_done_callback([&](const TaskRef&) { log.emplace_back("late"); });
    EXPECT_EQ(log.size(), 3U);
    co_await kit::yield(2);
    EXPECT_EQ(log.back(), "late");
  });
}

TEST(task_ref, compares_and_hashes) {
  on_one_loop([]() -> Coro<> {
    auto a = create_task(give(1));
    auto b = create_task(sleep(std::chrono::milliseconds(0)));
    EXPECT_TRUE(a == TaskRef(a));
    EXPECT_TRUE(TaskRef(a) == a);
    EXPECT_TRUE(TaskRef(a) != TaskRef(b));
    EXPECT_NE((TaskRef(a) < TaskRef(b)), (TaskRef(b) < TaskRef(a)));
    EXPECT_EQ((std::set<TaskRef>{a, b, a}.size()), 2U);
    EXPECT_EQ((std::unordered_set<TaskRef>{a, b, a}.size()), 2U);
    std::unordered_map<Task<int>, int> by_task{{a, 1}};
    EXPECT_EQ(by_task.at(a), 1);
    EXPECT_EQ((std::set<Future<int>>{a, a}.size()), 1U);
    co_await a;
    co_await b;
  });
}

TEST(task_ref, that_is_empty_tests_false_and_throws) {
  const TaskRef empty;
  EXPECT_FALSE(empty);
  EXPECT_TRUE(empty == current_task());
  EXPECT_THROW((void)empty.done(), InvalidStateError);
  EXPECT_THROW((void)empty.cancel(), InvalidStateError);
  EXPECT_THROW((void)empty.add_done_callback([](const TaskRef&) {}), InvalidStateError);
  EXPECT_THROW((void)TaskRef(Task<int>()).name(), InvalidStateError);
}

TEST(task_ref, is_empty_in_a_callback) {
  on_one_loop([]() -> Coro<> {
    auto seen = create_future<bool>();
    get_running_loop().call_soon([seen] { seen.set_result(static_cast<bool>(current_task())); });
    EXPECT_FALSE(co_await seen);
  });
}

}  // namespace

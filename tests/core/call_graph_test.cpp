// What a person sees of tasks: await stacks, call graphs, and that looking changes nothing.
#include <atomic>
#include <coil/async_generator.hpp>
#include <coil/call_graph.hpp>
#include <coil/cancel_scope.hpp>
#include <coil/gather.hpp>
#include <coil/task_group.hpp>
#include <coil/wait.hpp>
#include <kit/loops.hpp>
#include <kit/thrown.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;
using kit::on_one_loop;

namespace {

std::atomic<unsigned> inner_line{0};
std::atomic<unsigned> middle_line{0};
std::atomic<unsigned> outer_line{0};

Coro<int> inner(Future<int> future) {
  co_await sleep(0ms);
  inner_line = __LINE__ + 1;
  co_return co_await future;
}
Coro<int> middle(Future<int> future) {
  middle_line = __LINE__ + 1;
  co_return co_await inner(future) + 1;
}
Coro<int> outer(Future<int> future) {
  outer_line = __LINE__ + 1;
  co_return co_await middle(future) + 1;
}

// The stack once it has this many frames: the task may be moving just now.
Coro<std::vector<StackFrame>> stack_of_size(TaskRef task, std::size_t size) {
  for (;;) {
    auto stack = task.get_stack();
    if (stack.size() == size) co_return stack;
    co_await kit::yield();
  }
}

void expect_three(const std::vector<StackFrame>& stack) {
  ASSERT_EQ(stack.size(), 3U);
  EXPECT_TRUE(stack[0].function.ends_with("::outer")) << stack[0].function;
  EXPECT_TRUE(stack[1].function.ends_with("::middle")) << stack[1].function;
  EXPECT_TRUE(stack[2].function.ends_with("::inner")) << stack[2].function;
  EXPECT_EQ(stack[0].line, outer_line);
  EXPECT_EQ(stack[1].line, middle_line);
  EXPECT_EQ(stack[2].line, inner_line);
  EXPECT_NE(stack[2].file.find("call_graph_test"), std::string::npos);
}

TEST(get_stack, names_each_coroutine_and_the_line_where_it_awaits) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto task = create_task(outer(future));
    co_await kit::until([&] { return inner_line != 0; });
    expect_three(co_await stack_of_size(task, 3));
    EXPECT_EQ(task.get_stack(2).size(), 2U);
    EXPECT_TRUE(task.get_stack(1).at(0).function.ends_with("::inner")) << "the newest";
    future.set_result(1);
    EXPECT_EQ(co_await task, 3);
    EXPECT_TRUE(task.get_stack().empty()) << "it has ended";
    inner_line = 0;
  });
}

TEST(get_stack, of_a_task_that_has_not_started_is_where_it_is_written) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(outer(create_future<int>()));
    const auto stack = task.get_stack();
    EXPECT_EQ(stack.size(), 1U);
    EXPECT_TRUE(stack.at(0).function.ends_with("::outer")) << stack.at(0).function;
    task.cancel();
    co_await kit::yield();
  });
}

Coro<std::vector<StackFrame>> own_stack() {
  co_await sleep(0ms);
  co_return current_task().get_stack();
}
Coro<std::vector<StackFrame>> own_stack_of_parent() {
  const auto below = co_await own_stack();
  EXPECT_EQ(current_task().get_stack().size(), below.size() - 1) << "the child has ended";
  co_return below;
}

TEST(get_stack, of_the_running_task_is_its_own) {
  on_loops([]() -> Coro<> {
    auto task = create_task(own_stack_of_parent());
    const auto stack = co_await task;
    EXPECT_EQ(stack.size(), 2U);
    EXPECT_TRUE(stack.back().function.ends_with("::own_stack")) << stack.back().function;
  });
}

TEST(get_stack, of_a_task_that_started_another_eagerly_is_its_own) {
  on_one_loop([]() -> Coro<> {
    const TaskRef outside = current_task();
    std::size_t frames = 0;
    auto look = [](TaskRef task, std::size_t& n) -> Coro<> {
      n = task.get_stack().size();
      co_return;
    };
    auto task = create_task(look(outside, frames), {.eager = true});
    EXPECT_TRUE(task.done());
    EXPECT_EQ(frames, outside.get_stack().size());
    EXPECT_GE(frames, 1U);
    co_return;
  });
}

AsyncGenerator<int> numbers(std::vector<std::size_t>& depths) {
  co_await sleep(0ms);
  depths.push_back(current_task().get_stack().size());
  co_yield 1;
  co_yield 2;
}

TEST(get_stack, goes_through_generators_and_back) {
  on_one_loop([]() -> Coro<> {
    std::vector<std::size_t> depths;
    const auto before = current_task().get_stack().size();
    {
      auto generator = numbers(depths);
      EXPECT_EQ(co_await generator.next(), 1);
      EXPECT_EQ(current_task().get_stack().size(), before);
      co_await generator.aclose();
    }
    EXPECT_EQ(depths.at(0), before + 1);
    EXPECT_EQ(current_task().get_stack().size(), before);
  });
}

struct alignas(64) Wide {
  int value = 0;
};
Coro<Wide> wide() {
  co_await sleep_forever();
  co_return Wide{};
}
Coro<Wide> awaits_wide() { co_return co_await wide(); }

TEST(get_stack, finds_coroutines_with_results_of_any_alignment) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(awaits_wide());
    co_await kit::yield();
    EXPECT_EQ(task.get_stack().size(), 2U);
    task.cancel();
    co_await kit::yield(2);
  });
}

TEST(get_stack, may_be_asked_for_by_any_thread) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto task = create_task(outer(future));
    inner_line = 0;
    co_await kit::until([&] { return inner_line != 0; });
    auto result = create_future<std::vector<StackFrame>>();
    std::thread other([task, result] {
      auto stack = task.get_stack();
      while (stack.size() != 3) stack = task.get_stack();
      result.set_result(std::move(stack));
    });
    expect_three(co_await result);
    other.join();
    future.set_result(1);
    (void)co_await task;
  });
}

// Looking at it must neither lose what wakes a task nor what cancels it.
TEST(get_stack, takes_nothing_from_those_who_wake_and_cancel) {
  KIT_USES_THREADS();
  on_loops([]() -> Coro<> {
    for (int round = 0; round < 40; ++round) {
      auto future = create_future<int>();
      auto woken = create_task(outer(future));
      auto cancelled = create_task(outer(create_future<int>()));
      auto scoped = create_task([]() -> Coro<bool> {
        const auto result = co_await move_on_after(200us, [] { return sleep_forever(); });
        co_return result.cancelled_caught();
      });
      std::thread looker([=] {
        while (!woken.done() || !cancelled.done() || !scoped.done()) {
          (void)woken.get_stack();
          (void)cancelled.get_stack();
          (void)scoped.get_stack();
        }
      });
      co_await kit::yield();
      future.set_result(1);
      cancelled.cancel();
      EXPECT_EQ(co_await woken, 3);
      co_await kit::thrown_by<CancelledError>(cancelled);
      EXPECT_TRUE(co_await scoped);
      looker.join();
    }
  });
}

Coro<> waits_for(Task<int> task) { (void)co_await task; }

TEST(call_graph, names_who_awaits_a_task_and_who_awaits_those) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    inner_line = 0;
    auto task = create_task(outer(future), {.name = "worker"});
    auto first = create_task(waits_for(task), {.name = "first"});
    auto second = create_task(waits_for(task), {.name = "second"});
    auto last = create_task([](Task<> t) -> Coro<> { co_await t; }, first);
    FutureCallGraph graph;
    const auto complete = [&] {
      graph = capture_call_graph(task);
      if (graph.awaited_by.size() != 2 || graph.call_stack.size() != 3) return false;
      return graph.awaited_by[0].awaited_by.size() + graph.awaited_by[1].awaited_by.size() == 1;
    };
    co_await kit::until(complete);
    EXPECT_EQ(graph.name, "worker");
    EXPECT_EQ(graph.task, TaskRef(task));
    EXPECT_EQ(graph.state, "waiting in future");
    EXPECT_TRUE(graph.call_stack.front().function.ends_with("::inner")) << "innermost first";

    const std::string text = format_call_graph(graph);
    EXPECT_NE(text.find("* Task(name='worker', id=0x"), std::string::npos) << text;
    EXPECT_NE(text.find("  + Call stack:\n  |   File '"), std::string::npos) << text;
    EXPECT_NE(text.find("line " + std::to_string(inner_line.load()) + ", in async "),
              std::string::npos);
    EXPECT_NE(text.find("  + Awaited by:\n    * Task(name='"), std::string::npos) << text;
    EXPECT_NE(text.find("        * Task(name='Task-"), std::string::npos) << text;
    future.set_result(1);
    co_await last;
    co_await second;
  });
}

TEST(call_graph, of_a_future_names_who_awaits_it) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<int>();
    auto task = create_task(outer(future), {.name = "worker"});
    co_await kit::yield(2);
    const auto graph = capture_call_graph(future);
    EXPECT_FALSE(graph.task);
    EXPECT_EQ(graph.awaited_by.at(0).name, "worker");
    EXPECT_TRUE(format_call_graph(future).starts_with("* Future(id=0x"));
    future.set_result(1);
    co_await task;
  });
}

TEST(call_graph, goes_through_gather_and_task_groups) {
  on_loops([]() -> Coro<> {
    auto future = create_future<int>();
    auto gathered = create_task(outer(future), {.name = "gathered"});
    auto gatherer = create_task(
        [](Task<int> task) -> Coro<> { (void)co_await gather(task, sleep(0ms)); }, gathered);
    co_await kit::until([&] { return capture_call_graph(gathered).awaited_by.size() == 1; });
    EXPECT_EQ(capture_call_graph(gathered).awaited_by[0].task, TaskRef(gatherer));
    future.set_result(1);
    co_await gatherer;

    const TaskRef parent = current_task();
    co_await with_task_group([&](TaskGroup& group) -> Coro<> {
      auto member = group.create_task(sleep_forever());
      const auto graph = capture_call_graph(member);
      EXPECT_EQ(graph.awaited_by.size(), 1U);
      EXPECT_EQ(graph.awaited_by.at(0).task, parent);
      member.cancel();
      co_return;
    });
  });
}

Coro<std::string> own_graph(unsigned& line) {
  co_await sleep(0ms);
  line = __LINE__ + 1;
  co_return format_call_graph();
}

TEST(call_graph, of_the_running_task_shows_the_line_that_asks) {
  on_loops([]() -> Coro<> {
    unsigned line = 0;
    current_task().set_name("me");
    const std::string text = co_await own_graph(line);
    EXPECT_TRUE(text.starts_with("* Task(name='me', id=0x")) << text;
    EXPECT_NE(text.find("State: running"), std::string::npos) << text;
    EXPECT_NE(text.find("line " + std::to_string(line) + ", in async "), std::string::npos) << text;
    EXPECT_NE(text.find("::own_graph()"), std::string::npos) << text;
  });
}

TEST(call_graph, is_printed_in_the_form_that_format_gives) {
  on_one_loop([]() -> Coro<> {
    auto future = create_future<>();
    auto task = create_task([&]() -> Coro<> { co_await future; }, {.name = "waiter"});
    co_await kit::yield(2);
    const auto graph = capture_call_graph(task);
    const FrameCallGraphEntry& innermost = graph.call_stack.at(0);
    EXPECT_NE(innermost.file.find("call_graph_test.cpp"), std::string::npos);
    EXPECT_GT(innermost.line, 0U);
    EXPECT_FALSE(innermost.function.empty());
    EXPECT_NE(graph.id, capture_call_graph(future).id);
    EXPECT_EQ(graph.id, capture_call_graph(task).id);
    ::testing::internal::CaptureStdout();
    print_call_graph(task);
    print_call_graph(graph);
    print_call_graph(future);
    print_call_graph();
    const std::string printed = ::testing::internal::GetCapturedStdout();
    const std::string once = format_call_graph(graph);
    EXPECT_NE(printed.find(once), std::string::npos) << printed;
    EXPECT_NE(printed.find(once, printed.find(once) + 1), std::string::npos) << printed;
    EXPECT_NE(printed.find("* Future(id=0x"), std::string::npos) << printed;
    EXPECT_NE(printed.find("State: running"), std::string::npos) << printed;
    future.set_result();
    co_await task;
  });
}

// By wait(), which hands no cancel on: a ring of plain awaits could not be cancelled.
TEST(call_graph, of_tasks_that_await_each_other_ends) {
  on_one_loop([]() -> Coro<> {
    auto handle = std::make_shared<Task<>>();
    auto first =
        create_task([](std::shared_ptr<Task<>> next) -> Coro<> { co_await *next; }, handle);
    auto second = create_task(
        [](Task<> next) -> Coro<> { (void)co_await wait(std::vector<Task<>>{next}); }, first);
    *handle = second;
    co_await kit::yield(2);
    const auto graph = capture_call_graph(first);
    EXPECT_EQ(graph.awaited_by.at(0).task, TaskRef(second));
    EXPECT_EQ(graph.awaited_by.at(0).awaited_by.at(0).task, TaskRef(first));
    EXPECT_TRUE(graph.awaited_by.at(0).awaited_by.at(0).elided);
    EXPECT_NE(format_call_graph(graph).find("Awaited by: ..."), std::string::npos);
    *handle = Task<>();
    second.cancel();
    co_await kit::thrown_by<CancelledError>(first);
  });
}

TEST(call_graph, of_a_long_chain_is_cut) {
  on_one_loop([]() -> Coro<> {
    auto end = create_task(sleep_forever());
    std::vector<Task<>> chain{end};
    for (int i = 0; i < 5'000; ++i)
      chain.push_back(create_task([](Task<> next) -> Coro<> { co_await next; }, chain.back()));
    co_await kit::yield();
    EXPECT_LT(format_call_graph(end).size(), 200'000U);
    end.cancel();
    co_await kit::thrown_by<CancelledError>(chain.back());
  });
}

TEST(call_graph, is_empty_in_a_callback_and_refused_off_a_loop) {
  EXPECT_THROW((void)capture_call_graph(), NoRunningLoop);
  EXPECT_THROW((void)capture_call_graph(TaskRef()), InvalidStateError);
  on_one_loop([]() -> Coro<> {
    bool empty = false;
    auto future = create_future<>();
    future.add_done_callback([&](const Future<>&) { empty = !capture_call_graph(); });
    future.set_result();
    co_await kit::yield(2);
    EXPECT_TRUE(empty);
  });
}

}  // namespace

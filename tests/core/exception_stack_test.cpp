// An exception that leaves a task carries the coroutines that it has left.
#include <coil/gather.hpp>
#include <coil/loop.hpp>
#include <coil/timeout.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <stdexcept>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;
using kit::on_loops;
using kit::on_one_loop;

namespace {

unsigned low_line = 0;
unsigned high_line = 0;

Coro<int> low() {
  low_line = __LINE__ + 1;
  co_await sleep(0ms);
  throw std::runtime_error("deep");
}
Coro<int> high() {
  high_line = __LINE__ + 1;
  co_return co_await low();
}

std::vector<std::string> names(const std::vector<StackFrame>& stack) {
  std::vector<std::string> list;
  for (const auto& frame : stack)
    list.push_back(frame.function.substr(frame.function.rfind(':') + 1));
  return list;
}
using Names = std::vector<std::string>;

TEST(exception_stack, names_the_coroutines_that_the_exception_left) {
  on_loops([]() -> Coro<> {
    auto task = create_task(high());
    co_await kit::thrown_by<std::runtime_error>(task);
    const auto stack = task.get_stack();
    EXPECT_EQ(names(stack), (Names{"high", "low"}));
    EXPECT_EQ(stack.at(0).line, high_line);
    EXPECT_EQ(stack.at(1).line, low_line);
    EXPECT_EQ(names(task.get_stack(1)), Names{"high"}) << "of a failed one the oldest";
    EXPECT_EQ(names(TaskRef(task).get_stack()), (Names{"high", "low"}));
  });
}

TEST(exception_stack, goes_on_through_tasks_that_await_tasks) {
  on_loops([]() -> Coro<> {
    auto task = create_task(high());
    auto waiter = create_task([](Task<int> t) -> Coro<int> { co_return co_await t; }, task);
    co_await kit::thrown_by<std::runtime_error>(waiter);
    auto stack = names(waiter.get_stack());
    EXPECT_GE(stack.size(), 3U);
    EXPECT_EQ(stack.at(stack.size() - 2), "high");
    EXPECT_EQ(stack.back(), "low");
    auto gatherer = create_task([]() -> Coro<> { (void)co_await gather(high(), sleep(0ms)); });
    co_await kit::thrown_by<std::runtime_error>(gatherer);
    EXPECT_EQ(names(gatherer.get_stack()).back(), "low");
  });
}

Coro<> throws_another() {
  try {
    (void)co_await high();
  } catch (const std::runtime_error&) {
    throw std::logic_error("another");
  }
}
Coro<> throws_later() {
  for (int i = 0; i < 3; ++i) {
    try {
      (void)co_await low();
    } catch (const std::runtime_error&) {
    }
  }
  co_await sleep(0ms);
  throw std::logic_error("later");
}
Coro<> throws_again() {
  std::exception_ptr error;
  try {
    (void)co_await high();
  } catch (...) {
    error = std::current_exception();
  }
  co_await sleep(0ms);
  std::rethrow_exception(error);
}

TEST(exception_stack, is_that_of_the_exception_that_ended_the_task) {
  on_one_loop([]() -> Coro<> {
    auto another = create_task(throws_another());
    auto later = create_task(throws_later());
    auto again = create_task(throws_again());
    co_await kit::thrown_by<std::logic_error>(another);
    co_await kit::thrown_by<std::logic_error>(later);
    co_await kit::thrown_by<std::runtime_error>(again);
    EXPECT_EQ(names(another.get_stack()), Names{"throws_another"});
    EXPECT_EQ(names(later.get_stack()), Names{"throws_later"});
    EXPECT_EQ(names(again.get_stack()), (Names{"throws_again", "high", "low"}));
  });
}

TEST(exception_stack, is_empty_after_a_result_or_a_cancellation) {
  on_one_loop([]() -> Coro<> {
    auto fine = create_task([]() -> Coro<> {
      try {
        (void)co_await high();
      } catch (const std::runtime_error&) {
      }
    });
    auto cancelled = create_task(sleep_forever());
    co_await fine;
    cancelled.cancel();
    co_await kit::thrown_by<CancelledError>(cancelled);
    EXPECT_TRUE(fine.get_stack().empty());
    EXPECT_TRUE(cancelled.get_stack().empty());
  });
}

TEST(exception_stack, is_in_the_report_of_what_nobody_retrieved) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    create_task(high());
    co_await kit::until([&] { return !reports.empty(); });
    EXPECT_EQ(names(reports.all().at(0).stack), (Names{"high", "low"}));
  });
}

TEST(exception_stack, is_printed) {
  testing::internal::CaptureStderr();
  on_one_loop([]() -> Coro<> {
    create_task(high());
    co_await kit::yield(4);
  });
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("deep"), std::string::npos) << text;
  EXPECT_NE(text.find("line " + std::to_string(low_line) + ", in async "), std::string::npos)
      << text;
}

Coro<> recurse(int depth) {
  if (depth == 0) {
    co_await sleep(0ms);
    throw std::runtime_error("bottom");
  }
  co_await recurse(depth - 1);
}

TEST(exception_stack, of_a_very_deep_one_is_cut) {
  on_one_loop([]() -> Coro<> {
    auto task = create_task(recurse(20'000));
    co_await kit::thrown_by<std::runtime_error>(task);
    EXPECT_LE(task.get_stack().size(), 1'000U);
    EXPECT_EQ(names(task.get_stack()).back(), "recurse");
  });
}

}  // namespace

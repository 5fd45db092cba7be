// What the exception handler is told: failures nobody looked at, coroutines nobody awaited.
#include <coil/future.hpp>
#include <coil/loop.hpp>
#include <coil/task.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <kit/thrown.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace coil;
using kit::on_loops;
using kit::on_one_loop;

namespace {

Coro<int> fail() {
  co_await kit::yield();
  throw std::runtime_error("lost");
}

TEST(reports, a_failed_task_when_its_last_handle_goes) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    int line = 0;
    {
      line = __LINE__ + 1;
      auto task = create_task(fail(), {.name = "unlucky"});
      auto second = task;
      co_await kit::yield(4);
      task = Task<int>();
      EXPECT_TRUE(second.done());
      EXPECT_TRUE(reports.empty()) << "one handle is left";
    }
    EXPECT_EQ(reports.all().size(), 1U) << reports.text();
    const auto report = reports.all().at(0);
    EXPECT_EQ(report.message, "Task exception was never retrieved");
    EXPECT_EQ(report.task.name(), "unlucky") << "kept by the report, it is still there";
    EXPECT_TRUE(report.task.done());
    EXPECT_NE(detail::describe(report.exception).find("lost"), std::string::npos);
    EXPECT_EQ(report.origin.line(), static_cast<unsigned>(line));
    EXPECT_NE(std::string(report.origin.file_name()).find("reports_test"), std::string::npos);
  });
}

TEST(reports, are_printed_with_the_task_s_name_where_nobody_listens) {
  testing::internal::CaptureStderr();
  on_one_loop([]() -> Coro<> {
    (void)create_task(fail(), {.name = "unlucky"});
    co_await kit::yield(4);
  });
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("Task exception was never retrieved\n"), std::string::npos) << text;
  EXPECT_NE(text.find("'unlucky'"), std::string::npos) << text;
}

// Whoever drops the last handle, and when.
TEST(reports, reach_the_handler_of_the_task_s_runner_from_a_thread_and_after_run) {
  KIT_USES_THREADS();
  const kit::Watchdog watchdog;
  std::vector<std::string> names;
  Task<int> outlives;
  {
    Runner runner({.loops = 2});
    runner.get_loop().set_exception_handler(
        [&](const ExceptionContext& context) { names.push_back(context.task.name()); });
    Task<int> kept;
    runner.run([&]() -> Coro<> {
      auto dropped = create_task(fail(), {.name = "on a thread"});
      kept = create_task(fail(), {.name = "after run"});
      outlives = create_task(fail(), {.name = "after the Runner"});
      co_await kit::until([&] { return dropped.done() && kept.done() && outlives.done(); });
      std::thread([task = std::exchange(dropped, {})]() mutable { task = {}; }).join();
    });
    EXPECT_EQ(names, std::vector<std::string>{"on a thread"});
    kept = {};
    EXPECT_EQ(names, (std::vector<std::string>{"on a thread", "after run"}));
  }
  testing::internal::CaptureStderr();
  outlives = {};
  EXPECT_EQ(names.size(), 2U) << "the handler has gone with its Runner";
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("'after the Runner'"), std::string::npos) << text;
}

TEST(reports, nothing_of_a_promise_that_was_dropped_and_has_no_future) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      const Promise<int> unseen;
    }
    EXPECT_TRUE(reports.empty()) << reports.text();
    co_return;
  });
}

TEST(reports, a_failed_task_whose_handle_was_dropped_before) {
  on_loops([]() -> Coro<> {
    const kit::Reports reports;
    (void)create_task(fail());
    co_await kit::until([&] { return !reports.empty(); });
    EXPECT_EQ(reports.count("never retrieved"), 1) << reports.text();
  });
}

TEST(reports, nothing_that_somebody_looked_at) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      auto awaited = create_task(fail());
      co_await kit::thrown_by<std::runtime_error>(awaited);
      auto asked = create_task(fail());
      auto thrown = create_task(fail());
      auto called_back = create_task(fail());
      called_back.add_done_callback([](const Future<int>& f) { (void)f.exception(); });
      co_await kit::yield(5);
      (void)asked.exception();
      EXPECT_THROW((void)thrown.result(), std::runtime_error);
      co_await kit::yield(2);
    }
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(reports, no_cancellation) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    create_task(sleep_forever()).cancel();
    co_await kit::yield(4);
    EXPECT_TRUE(reports.empty()) << reports.text();
  });
}

TEST(reports, a_failed_future_that_nobody_awaited) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      auto future = create_future<int>();
      future.set_exception(std::runtime_error("unseen"));
      auto seen = create_future<int>();
      seen.set_exception(std::runtime_error("seen"));
      (void)seen.exception();
    }
    EXPECT_EQ(reports.count("Future exception was never retrieved"), 1) << reports.text();
    co_return;
  });
}

TEST(reports, a_callback_that_throws) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    auto future = create_future<>();
    future.add_done_callback([](const Future<>&) { throw std::logic_error("callback"); });
    future.set_result();
    co_await kit::yield(2);
    EXPECT_EQ(reports.all().size(), 1U);
    EXPECT_NE(reports.text().find("callback"), std::string::npos);
  });
}

TEST(reports, a_coroutine_that_was_never_awaited_in_debug_mode) {
  on_one_loop(
      []() -> Coro<> {
        const kit::Reports reports;
        {
          auto dropped = fail();
        }
        EXPECT_EQ(reports.count("never awaited"), 1) << reports.text();
        EXPECT_EQ(reports.count("fail"), 1) << reports.text();
        const auto report = reports.all().at(0);
        EXPECT_NE(std::string(report.origin.file_name()).find("reports_test"), std::string::npos);
        // Those that were started, refused or cancelled before they started are no such thing.
        create_task(fail()).cancel();
        co_await kit::thrown_by<std::runtime_error>(fail());
        co_await kit::yield(3);
        EXPECT_EQ(reports.all().size(), 1U) << reports.text();
      },
      {.debug = true});
}

TEST(reports, nothing_of_coroutines_outside_debug_mode) {
  on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    {
      auto dropped = fail();
    }
    EXPECT_TRUE(reports.empty()) << reports.text();
    co_return;
  });
}

}  // namespace

// The exception handler: what reaches it, and that it is never called concurrently with itself.
#include <gtest/gtest.h>

#include <atomic>
#include <coil/loop.hpp>
#include <coil/runner.hpp>
#include <coil/sleep.hpp>
#include <kit/loops.hpp>
#include <kit/reports.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace coil;
using namespace std::chrono_literals;

namespace {

ExceptionContext told(const char* message) {
  ExceptionContext context;
  context.message = message;
  return context;
}

TEST(exception_handler, hears_of_a_callback_that_throws_and_the_loop_goes_on) {
  kit::on_one_loop([]() -> Coro<> {
    const kit::Reports reports;
    Loop& loop = get_running_loop();
    bool next_ran = false;
    loop.call_soon([] { throw std::runtime_error("soon"); });
    loop.call_later(1ms, [] { throw 42; });
    loop.call_soon([&] { next_ran = true; });
    co_await sleep(3ms);
    EXPECT_TRUE(next_ran);
    EXPECT_EQ(reports.count("Exception in callback"), 2) << reports.text();
    EXPECT_NE(reports.text().find("soon"), std::string::npos);
  });
}

TEST(exception_handler, prints_by_default) {
  testing::internal::CaptureStderr();
  kit::on_one_loop([]() -> Coro<> {
    get_running_loop().call_soon([] { throw std::runtime_error("seen by a person"); });
    co_await kit::yield();
  });
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("Exception in callback"), std::string::npos) << text;
  EXPECT_NE(text.find("seen by a person"), std::string::npos) << text;
}

TEST(exception_handler, that_throws_is_reported_with_what_it_was_told) {
  testing::internal::CaptureStderr();
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    loop.set_exception_handler([](const ExceptionContext&) { throw std::runtime_error("mine"); });
    loop.call_soon([] { throw std::runtime_error("theirs"); });
    co_await kit::yield();
    int calls = 0;
    loop.set_exception_handler([&](const ExceptionContext&) { ++calls; });
    loop.call_exception_handler(told("again"));
    EXPECT_EQ(calls, 1);
    loop.set_exception_handler({});
  });
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("mine"), std::string::npos) << text;
  EXPECT_NE(text.find("theirs"), std::string::npos) << text;
}

TEST(exception_handler, that_reports_from_inside_itself_gets_the_default) {
  testing::internal::CaptureStderr();
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    int calls = 0;
    loop.set_exception_handler([&](const ExceptionContext&) {
      ++calls;
      loop.call_exception_handler(told("nested"));
    });
    loop.call_exception_handler(told("outer"));
    EXPECT_EQ(calls, 1);
    loop.set_exception_handler({});
    co_return;
  });
  EXPECT_NE(testing::internal::GetCapturedStderr().find("nested"), std::string::npos);
}

TEST(exception_handler, may_be_replaced_from_inside_itself) {
  kit::on_one_loop([]() -> Coro<> {
    Loop& loop = get_running_loop();
    Loop* const at = &loop;
    auto first = std::make_shared<int>(0);
    int second = 0;
    loop.set_exception_handler([at, first, &second](const ExceptionContext&) {
      at->set_exception_handler([&second](const ExceptionContext&) { ++second; });
      ++*first;  // our own captures are still there
    });
    loop.call_exception_handler(told("one"));
    loop.call_exception_handler(told("two"));
    EXPECT_EQ(*first, 1);
    EXPECT_EQ(second, 1);
    loop.set_exception_handler({});
    co_return;
  });
}

TEST(exception_handler, belongs_to_the_runner_whichever_loop_sets_it) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 3});
  runner.run([&]() -> Coro<> {
    std::vector<std::string> messages;
    auto set = runner.loops()[2]->create_task([&]() -> Coro<> {
      get_running_loop().set_exception_handler(
          [&](const ExceptionContext& context) { messages.push_back(context.message); });
      co_return;
    });
    co_await set;
    runner.loops()[1]->call_exception_handler(told("from one"));
    runner.loops()[0]->call_exception_handler(told("from zero"));
    EXPECT_EQ(messages, (std::vector<std::string>{"from one", "from zero"}));
    runner.get_loop().set_exception_handler({});
  });
}

TEST(exception_handler, is_never_called_concurrently_with_itself) {
  const kit::Watchdog watchdog;
  Runner runner({.loops = 4});
  runner.run([&]() -> Coro<> {
    std::atomic<int> inside{0};
    std::atomic<int> over{0};
    int overlaps = 0;
    int calls = 0;  // no atomic: the handler is alone
    runner.get_loop().set_exception_handler([&](const ExceptionContext&) {
      overlaps += inside.fetch_add(1) != 0;
      ++calls;
      for (int i = 0; i < 100; ++i) (void)inside.load();
      inside.fetch_sub(1);
      ++over;
    });
    std::vector<Task<>> tasks;
    for (Loop* loop : runner.loops()) {
      tasks.push_back(loop->create_task([]() -> Coro<> {
        for (int i = 0; i < 2'000; ++i) {
          get_running_loop().call_soon([] { throw std::runtime_error("x"); });
          if (i % 8 == 0) co_await kit::yield();
        }
      }));
    }
    for (auto& task : tasks) co_await task;
    co_await kit::until([&] { return over == 8'000; });
    EXPECT_EQ(calls, 8'000);
    EXPECT_EQ(overlaps, 0);
    runner.get_loop().set_exception_handler({});
  });
}

}  // namespace

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <kit/time_scale.hpp>
#include <kit/watchdog.hpp>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KIT_SANITIZED 1
#endif
#endif

namespace kit {
namespace {

#ifdef KIT_SANITIZED
constexpr int slowness = 5;
#else
constexpr int slowness = 1;
#endif

}  // namespace

Watchdog::Watchdog(std::chrono::seconds limit)
    : thread_([this, limit] {
        std::unique_lock lock(mutex_);
        if (ended_.wait_for(lock, scaled(limit) * slowness, [this] { return end_; })) return;
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        std::fprintf(stderr, "watchdog: %s.%s hangs\n",
                     test != nullptr ? test->test_suite_name() : "?",
                     test != nullptr ? test->name() : "?");
        std::abort();
      }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

}  // namespace kit

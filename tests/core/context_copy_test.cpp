// What a copy of a context costs.
#include <gtest/gtest.h>

#include <coil/context.hpp>
#include <coil/detail/context_slot.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/task.hpp>
#include <deque>
#include <kit/loops.hpp>
#include <string>

using namespace coil;
using kit::on_loops;

namespace {

const detail::ContextNode* map_now() { return detail::running_context().map().get(); }

// What is copied is one pointer, however many variables there are.
TEST(context, is_copied_in_constant_time) {
  on_loops([]() -> Coro<> {
    std::deque<ContextVar<int>> many;
    for (int i = 0; i < 1000; ++i) many.emplace_back("v" + std::to_string(i)).set(i);
    const auto* mine = map_now();
    EXPECT_NE(mine, nullptr);
    co_await create_task([&]() -> Coro<> {
      EXPECT_EQ(map_now(), mine);
      many[500].set(7);  // a map of its own, which shares nearly all of it
      EXPECT_NE(map_now(), mine);
      EXPECT_EQ(many[499].get() + many[500].get(), 499 + 7);
      co_return;
    });
    EXPECT_EQ(map_now(), mine);
    EXPECT_EQ(many[500].get(), 500);
  });
}

}  // namespace

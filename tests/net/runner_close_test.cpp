// Closing a Runner while connections are open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "net_kit.hpp"

namespace {

using namespace std::chrono_literals;

TEST(RunnerClose, a_thread_that_may_not_use_the_ring_is_told_so_while_a_receive_is_in_flight) {
  coil::RunOptions options;
  options.loops = 1;
  coil::Runner runner(options);
  std::optional<kit::HalfBare> open;
  runner.run([](std::optional<kit::HalfBare>& result) -> coil::Coro<> {
    result.emplace(co_await kit::half_bare());
    // Withdrawing the read leaves the receive where it is.
    co_await kit::thrown_by<coil::TimeoutError>(coil::wait_for(result->stream.reader.read(1), 1ms));
  }(open));
  std::string text;
  std::thread([&] {
    try {
      runner.close();
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  }).join();
  EXPECT_EQ(text,
            "Runner::close(): operations are in flight, and only the thread that has run the "
            "Runner can end them");
  runner.close();
}

}  // namespace

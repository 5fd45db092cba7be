// The exceptions' types: who derives from what, as in Python.
#include <gtest/gtest.h>

#include <coil/barrier.hpp>
#include <coil/channel_errors.hpp>
#include <coil/context.hpp>
#include <coil/exception_group.hpp>
#include <coil/exceptions.hpp>
#include <coil/would_block.hpp>
#include <exception>
#include <stdexcept>
#include <string>
#include <type_traits>

using namespace coil;

namespace {

template <class Base, class... Es>
constexpr bool all_derive = (std::is_base_of_v<Base, Es> && ...);

// Python's BaseException and Exception: handlers of ordinary errors let the first three through.
TEST(exception_types, are_std_exceptions_but_for_those_that_end_a_task) {
  static_assert(!std::is_base_of_v<std::exception, CancelledError>);
  static_assert(!std::is_base_of_v<std::exception, KeyboardInterrupt>);
  static_assert(!std::is_base_of_v<std::exception, TerminationRequest>);
  static_assert(!std::is_base_of_v<std::exception, GeneratorExit>);
  static_assert(std::is_final_v<CancelledError> && std::is_final_v<KeyboardInterrupt>);
  static_assert(all_derive<std::exception, TimeoutError, ExceptionGroup, InvalidStateError>);
  static_assert(all_derive<std::out_of_range, LookupError>);
  static_assert(all_derive<std::runtime_error, InvalidStateError, BrokenPromise, NoRunningLoop,
                           LoopClosed, BrokenBarrierError, QueueEmpty, QueueFull, QueueShutDown,
                           WouldBlock, ClosedResourceError, BrokenResourceError, EndOfChannel>);
}

TEST(exception_types, say_what_they_are) {
  EXPECT_STREQ(CancelledError("enough").what(), "enough");
  EXPECT_STREQ(CancelledError().what(), "");
  EXPECT_STREQ(KeyboardInterrupt().what(), "interrupted by SIGINT");
  EXPECT_STREQ(TerminationRequest().what(), "terminated by SIGTERM");
  EXPECT_STREQ(GeneratorExit().what(), "generator closed");
  EXPECT_STREQ(TimeoutError().what(), "timed out");
  EXPECT_STREQ(TimeoutError("late").what(), "late");
  EXPECT_NE(std::string(NoRunningLoop("call").what()).find("call: "), std::string::npos);
  EXPECT_NE(std::string(LoopClosed("call").what()).find("call: "), std::string::npos);
  EXPECT_STRNE(BrokenPromise().what(), "");
}

}  // namespace

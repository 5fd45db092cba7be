// A program that does not catch what run() throws ends as a Python program would.
#pragma once

#include <coil/stack_frame.hpp>
#include <exception>
#include <vector>

namespace coil::detail {

// If `error` leaves main() uncaught: KeyboardInterrupt ends the program by SIGINT,
// TerminationRequest by SIGTERM, CancelledError and everything else with a report and exit code 1.
// Other uncaught exceptions end as before. `stack`: the coroutines that the exception has left,
// outermost first, for the report.
void end_like_python_if_uncaught(const std::exception_ptr& error,
                                 std::vector<StackFrame> stack = {}) noexcept;

}  // namespace coil::detail

// Where threads that are no loops may run.
#pragma once

#include <cstddef>

namespace coil::detail {

// How many processors the process was allowed when it began (os.process_cpu_count).
[[nodiscard]] std::size_t processor_count();
// Lets the calling thread run on all of them: a thread that is made on a loop begins with that
// loop's binding to one.
void unbind_thread();
// This thread drives a loop that is bound to one of them.
[[nodiscard]] bool loop_is_bound() noexcept;

}  // namespace coil::detail

// The seam between core and whoever moves runnable work: declared here, defined once, in sched.
//
// It is bound by the linker, not by a virtual table, because a switch goes through it.
#pragma once

#include <coil/detail/fork_taken.hpp>
#include <coil/time.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace coil {
class Loop;
struct ExceptionContext;
}  // namespace coil

namespace coil::detail {

class ContextSlot;
class GeneratorBase;
class TaskBase;
struct ForkedChild;
struct Runnable;
struct Timer;

// The task and loop of this thread, or nullptr. Never inline: see frame_allocator.hpp.
[[nodiscard]] TaskBase* running_task() noexcept;
[[nodiscard]] Loop* running_loop() noexcept;
// The context of the task or callback that this thread runs, else the thread's own.
[[nodiscard]] ContextSlot& running_context() noexcept;
// Throws NoRunningLoop naming the operation.
Loop& require_loop(std::string_view operation);
// The same for what makes tasks: LoopClosed once the Runner closes and would not await them.
Loop& require_open_loop(std::string_view operation);
// Callbacks that are posted to this thread's loop will not run any more.
[[nodiscard]] bool loop_is_ending() noexcept;

// What this thread may read of a task that has not ended, without holding it.
enum class Vantage : std::uint8_t {
  Running,  // its frames: this thread runs it
  Still,    // its frames: nobody but this thread could run it
  Near,     // nothing
  Far,      // nothing; and it may take no references to what it finds (see FutureBase::release)
};
[[nodiscard]] Vantage vantage_on(const TaskBase& task) noexcept;

// Makes a suspended task runnable, once per suspension. Any thread.
void make_ready(TaskBase& task) noexcept;
// The running task goes behind everything that is ready on this loop.
void make_ready_behind(TaskBase& task) noexcept;
// Runs a callback soon on the given loop. Any thread.
void post(Runnable& callback, Loop& loop) noexcept;

// Takes over a new task, pinned to `home` if given, and makes it runnable (or, eager, runs it now
// until it first suspends). Without a home: on this thread's loop.
void start_task(TaskBase& task, Loop* home, bool eager) noexcept;
// The task is done: forget it.
void task_finished(TaskBase& task) noexcept;

// A child of a fork, where the fork keeps it (fork_wait.hpp): for take_fork() on this loop, for
// whoever steals it, or for this loop once it has nothing better to do; those run its branch_of().
// False: out of memory.
[[nodiscard]] bool push_fork(ForkedChild& child) noexcept;
// Yes: it was the newest of this loop's, and is not any more. After Perhaps finish_take_fork() must
// follow at once, and tells.
[[nodiscard]] ForkTaken try_take_fork(ForkedChild& child) noexcept;
[[nodiscard]] bool finish_take_fork() noexcept;
[[nodiscard]] inline bool take_fork(ForkedChild& child) noexcept {
  const ForkTaken taken = try_take_fork(child);
  return taken == ForkTaken::Yes || (taken == ForkTaken::Perhaps && finish_take_fork());
}
// Other loops would take a child of the running task's, and there is none for them.
[[nodiscard]] bool forks_are_wanted() noexcept;
// Other loops may take what this one has.
[[nodiscard]] bool loop_shares() noexcept;

// A generator that has run for the first time, on this thread's loop, is closed before that loop's
// Runner lets run() return, unless it has finished by then.
void generator_started(GeneratorBase& generator) noexcept;
// Any thread.
void generator_finished(GeneratorBase& generator) noexcept;
// Runs the generator, a Runnable, on the loop that started it. False: that has gone.
[[nodiscard]] bool post_to_home(GeneratorBase& generator) noexcept;

// Timers of this thread's loop; disarming from any thread. See timer.hpp for who may do what.
void arm_timer(Timer& timer, TimePoint deadline) noexcept;
[[nodiscard]] bool disarm_timer(Timer& timer) noexcept;
[[nodiscard]] TimePoint now() noexcept;

// Hands a problem to the running Runner's exception handler; to stderr where there is none.
void report(const ExceptionContext& context) noexcept;
[[nodiscard]] bool debug_mode() noexcept;

}  // namespace coil::detail

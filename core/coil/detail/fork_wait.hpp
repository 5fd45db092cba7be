// How a coroutine forks and joins, whatever the types of its children.
//
// The first child is entered at once, in the parent's task; the others lie in the loop's fork
// deque meanwhile. When a child has ended, control comes to the join frame, which takes the next
// child out of the deque and enters it, still in the parent's task: no task is made and no atomic
// word of ours is touched. All of that is here and in fork_join.hpp, and writes as little as it
// can: what children have that somebody took, or that failed, is made by who needs it first
// (fork_rest.hpp).
//
// A child that is not in the deque was taken by somebody: another loop, or this one while the
// parent was suspended; or it lies in the deque of the loop that the parent has left. It runs as a
// task of its own, a branch, and the parent waits for the branches at the end.
// Kept by tests/core/fork_test.cpp and tests/core/fork_stress.cpp.
#pragma once

#include <coil/coro.hpp>
#include <coil/detail/future_base.hpp>
#include <coil/detail/made_once.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/runnable.hpp>
#include <coil/detail/scheduler.hpp>
#include <coroutine>
#include <cstddef>
#include <cstdint>

// The call after it takes the place of this one, so that a chain of coroutines needs no stack. A
// coroutine's function has no type that the sanitizer could check.
#if defined(__clang__)
#define COIL_TAIL_CALL [[clang::musttail]] return
#define COIL_ANY_FUNCTION [[clang::no_sanitize("function")]]
#else
#define COIL_TAIL_CALL return
#define COIL_ANY_FUNCTION
#endif

namespace coil::detail {

class ForkRest;
class ForkWait;

// A child that has not started, or that runs or has ended here. A deque holds its address, which no
// other child gets as long as the fork lives: frames come and go.
struct ForkedChild {
  std::coroutine_handle<> frame;
};

// What a child has beyond its frame, once somebody took it or it failed.
struct ForkBranch : Runnable {
  ForkWait* fork = nullptr;
  std::uint32_t index = 0;
  std::uint32_t failed = 0;  // 1 for the first that failed, and so on
  FutureRef task;            // of a child that somebody took
};

// What is the same in all forks of the same types.
struct ForkShape {
  // Makes the coroutine a task, which takes it over. Throws std::bad_alloc, and then it does not.
  using MakeTask = TaskBase* (*)(std::coroutine_handle<> child);

  std::uint32_t count;
  const MakeTask* make_task;
  ForkedChild* (*children)(ForkWait&) noexcept;
  ForkBranch* (*branches)(ForkWait&) noexcept;  // memory for as many
};

class ForkWait : public NativeAwaiter {
 public:
  ForkWait() noexcept {}  // what is not initialised is when it is awaited
  ForkWait(ForkWait&& unawaited) noexcept : ForkWait() { (void)unawaited; }
  ~ForkWait() = default;  // who has made the rest, destroys it: destroy_rest()
  ForkWait& operator=(ForkWait&&) = delete;

  [[nodiscard]] static bool is_join(std::coroutine_handle<> frame) noexcept {
    return static_cast<FrameHeader*>(frame.address())->destroy == &never_destroyed;
  }
  // An exception leaves the coroutine. If it is a child of a fork that runs in the parent's task,
  // the fork is not the usual one any more: child_ended() goes on with it.
  static void note_failure(const PromiseBase& failed) noexcept;
  // For who finds a child in a deque, other than by take_fork(): what he is to run instead.
  [[nodiscard]] static Runnable& branch_of(ForkedChild& child) noexcept;

 protected:
  // Stands for a coroutine between the children and the parent: they return into it.
  struct JoinFrame : FrameHeader {
    explicit JoinFrame(void (*ended)(FrameHeader*)) noexcept : promise(std::source_location()) {
      resume = ended;
      destroy = &never_destroyed;
    }
    PromiseBase promise;
  };
  // The join frame is what a fork begins with.
  [[nodiscard]] static ForkWait& of(FrameHeader* join) noexcept {
    return *reinterpret_cast<ForkWait*>(join);
  }
  [[nodiscard]] static CoroPromiseBase& promise_of(const ForkedChild& child) noexcept {
    return static_cast<CoroPromiseBase&>(PromiseBase::of(child.frame));
  }

  // Before the first child runs; `ended` is where it returns to.
  void begin(std::coroutine_handle<> parent, TaskBase& task, const ForkShape& shape,
             void (*ended)(FrameHeader*)) noexcept {
    shape_ = &shape;
    ::new (&join_) JoinFrame(ended);
    join_.promise.continuation = parent;
    join_.promise.task = &task;
    scope_ = task.scope();
  }
  // The task has a context, or is bound to its loop.
  [[nodiscard]] static bool is_unusual(const TaskBase& task) noexcept {
    return !task.context.empty() || task.affinity() == Affinity::loop;
  }
  // Instead of pushing the children: gives the first. The rest is made here and now.
  void begin_unusually() noexcept;
  // There was no memory to push the children before this one.
  void push_no_more(std::uint32_t pushed_from) noexcept;

  // The child has ended, and something is not as usual: the next was taken, there is a context, ...
  // child_ended() goes on then, and from now on.
  void note_unusual(std::uint32_t child) noexcept;
  static void child_ended(FrameHeader* join);

  // Once the parent goes on: others may have made the rest, but that happened before.
  [[nodiscard]] bool has_rest() const noexcept { return rest_made_.made(); }
  // Throws if a child failed, or the task was cancelled.
  void finish();
  [[nodiscard]] FutureBase* branch_task(std::uint32_t child) noexcept {
    return shape_->branches(*this)[child].task.get();
  }

  JoinFrame& join() noexcept { return join_; }
  void destroy_rest() noexcept;

 private:
  friend class ForkRest;

  // What a join frame has in this place, and no other frame.
  static void never_destroyed(FrameHeader* join) noexcept;
  [[nodiscard]] ForkRest& rest() noexcept;
  [[nodiscard]] std::coroutine_handle<> next_child(ForkRest& rest) noexcept;
  [[nodiscard]] bool take(ForkRest& rest, std::uint32_t child) noexcept;
  void end_inline(ForkRest& rest, std::uint32_t child) noexcept;
  [[nodiscard]] bool is_cancelled() const noexcept;

  static constexpr std::size_t rest_size = 192;

  union {
    JoinFrame join_;
  };
  ScopeNode* scope_;  // the parent's when it forked
  const ForkShape* shape_;
  MadeOnce rest_made_;
  alignas(void*) std::byte rest_memory_[rest_size];
};

// PromiseBase::of() finds the join frame's promise where the compiler puts that of a coroutine.
static_assert(sizeof(FrameHeader) == 16 && alignof(PromiseBase) <= 16);

}  // namespace coil::detail

// The innermost awaiter of a suspended task, as a canceller sees it.
//
// Invariant: `aborted` is written by whoever owns the suspension (the task before it suspends,
// or a canceller between TaskState::request and end_hook) and read by the task once resumed.
#pragma once

#include <coil/detail/ref.hpp>
#include <cstdint>
#include <vector>

namespace coil::detail {

class FutureBase;
class TaskBase;
struct Suspension;

enum class Abort : std::uint8_t { None, Edge, Level };

struct HookResult {
  bool taken = false;  // the suspension will end with the cancel; false: it is ending anyway
  // Tasks that this one awaits, were asked (TaskBase::request_for) and are held: their hooks are to
  // be run. Two members, because it is nearly always one.
  Ref<FutureBase> forward;
  std::vector<Ref<FutureBase>> also;
};

struct LeafKind {
  const char* name;  // "sleep", "future", "recv": for the await stack and deadlock reports
  // Ends the suspension early, or at least asks for it. Any thread. Null: cannot be aborted.
  HookResult (*cancel)(Suspension&, Abort) noexcept = nullptr;
  // What the task awaits, if that is a future or task.
  FutureBase* (*awaited)(const Suspension&) noexcept = nullptr;
  // A cancel that is pending on the way in goes to the hook, once armed: what is awaited is to be
  // cancelled too. Otherwise await_resume() sees it at once, and nothing is armed.
  bool armed_first = false;
  // For those that pass a cancel on: ends the wait itself instead, where passing it on would lead
  // round in a circle.
  HookResult (*leave)(Suspension&, Abort) noexcept = nullptr;
};

struct Suspension {
  explicit Suspension(const LeafKind& k) noexcept : kind(&k) {}
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  const LeafKind* kind;
  TaskBase* task = nullptr;
  Abort aborted = Abort::None;
};

}  // namespace coil::detail

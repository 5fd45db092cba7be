#include <coil/detail/default_executor.hpp>
#include <coil/detail/thread_wait.hpp>
#include <coil/executor.hpp>

namespace coil::detail {
namespace {

// The wait ends at once: the call is cancelled, a function that runs is not.
HookResult cancel_wait(Suspension& leaf, Abort kind) noexcept {
  auto& wait = static_cast<FutureWait&>(leaf);
  HookResult result;
  result.taken = wait.target().cancel({});
  if (result.taken) wait.aborted = kind;
  return result;
}

}  // namespace

constinit const LeafKind to_thread_leaf{"to_thread", &cancel_wait};

void hand_to_default_executor(ExecutorCall& call) noexcept try {
  call.hold(OutsideWork("to_thread"));
  ExecutorAccess::hand_over(default_executor("to_thread"), call);
} catch (...) {
  call.fail(std::current_exception());
}

}  // namespace coil::detail

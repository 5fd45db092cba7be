#include <coil/detail/permits.hpp>

namespace coil::detail {

constinit const LeafKind lock_leaf{"lock", &PermitWait::leave};
constinit const LeafKind semaphore_leaf{"semaphore", &PermitWait::leave};
constinit const LeafKind relock_leaf{"lock of a condition"};

HookResult PermitWait::leave(Suspension& leaf, Abort kind) noexcept {
  auto& wait = static_cast<PermitWait&>(leaf);
  HookResult result;
  result.taken = wait.permits_.leave(wait);
  if (!result.taken) return result;  // it has its permit and is being woken
  wait.aborted = kind;
  wait.task->wake();
  return result;
}

}  // namespace coil::detail

#include <coil/event.hpp>

namespace coil {

// The unlock is the last touch: who sees the flag, or is woken, may destroy the event.
void Event::set() noexcept {
  (void)lock_.lock();
  detail::Waiter* waiter = line_.pop_all();
  lock_.unlock(true);
  while (waiter != nullptr) {
    detail::Waiter* next = waiter->next;
    waiter->task->wake();
    waiter = next;
  }
}

void Event::clear() noexcept {
  (void)lock_.lock();
  lock_.unlock(false);
}

namespace detail {

constinit const LeafKind EventWait::leaf_kind{"event", &EventWait::leave};

bool EventWait::line_up() noexcept {
  const bool set = event_.lock_.lock();
  if (!set) event_.line_.push(*this);
  event_.lock_.unlock(set);
  return !set;
}

HookResult EventWait::leave(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<EventWait&>(leaf);
  HookResult result;
  const bool set = self.event_.lock_.lock();
  result.taken = self.linked;
  if (result.taken) self.event_.line_.remove(self);
  self.event_.lock_.unlock(set);
  if (!result.taken) return result;  // set() wakes it
  self.aborted = kind;
  self.task->wake();
  return result;
}

}  // namespace detail
}  // namespace coil

#include <coil/detail/callback.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/exception_context.hpp>
#include <coil/exceptions.hpp>
#include <memory>
#include <utility>

namespace coil::detail {
namespace {

constinit Atomic<std::uint64_t> next_id{1};

}  // namespace

DoneCallback::DoneCallback(FutureBase& future) noexcept
    : future_(future),
      loop_(LoopLink::here()),
      id_(next_id.fetch_add(1, std::memory_order_relaxed)) {
  FutureWaiter::wake = &on_done;
  Runnable::run = &on_loop;
  if (context_in_use()) context_.inherit_current();
}

std::uint64_t DoneCallback::enlist(DoneCallback* callback) {
  const auto id = callback->id_;
  FutureBase& future = callback->future_;
  if (future.completion().add(*callback, /*callback=*/true)) return id;
  if (loop_is_ending()) {  // else one that adds itself again would keep it for ever
    delete callback;
    throw LoopClosed("add_done_callback");
  }
  callback->done_ = FutureRef(&future);
  on_done(*callback);
  return id;
}

void hold_for_callbacks(FutureWaiter* first) noexcept {
  for (; first != nullptr; first = first->next) {
    if (first->wake != &DoneCallback::on_done) continue;
    auto& callback = static_cast<DoneCallback&>(*first);
    callback.done_ = FutureRef(&callback.future_);
  }
}

int DoneCallback::unregister(FutureBase& future, std::uint64_t id) {
  FutureWaiter* found = future.completion().remove_if([id](FutureWaiter& waiter) {
    return waiter.wake == &on_done && static_cast<DoneCallback&>(waiter).id_ == id;
  });
  if (found == nullptr) return 0;
  delete static_cast<DoneCallback*>(found);
  return 1;
}

void DoneCallback::discard_all(FutureBase& future) noexcept {
  const auto any = [](FutureWaiter& waiter) { return waiter.wake == &on_done; };
  while (FutureWaiter* found = future.completion().remove_if(any))
    delete static_cast<DoneCallback*>(found);
}

// Made on a thread that is no loop, or on one that is closed: there is nowhere to come back to, it
// runs where the future was completed.
void DoneCallback::on_done(FutureWaiter& waiter) noexcept {
  auto& self = static_cast<DoneCallback&>(waiter);
  const LoopLink loop = std::move(self.loop_);  // the callback may be gone at once
  loop.post(self);
}

void DoneCallback::call_in_context() {
  if (!context_in_use()) return call(std::move(done_));
  const ContextEntry entered(context_);
  call(std::move(done_));
}

void DoneCallback::on_loop(Runnable& runnable) noexcept {
  const std::unique_ptr<DoneCallback> self(static_cast<DoneCallback*>(&runnable));
  try {
    self->call_in_context();
  } catch (...) {
    ExceptionContext context;
    context.message = "Exception in callback of a future";
    context.exception = std::current_exception();
    report(context);
  }
}

}  // namespace coil::detail

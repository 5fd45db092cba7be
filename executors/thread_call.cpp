#include <coil/detail/blocking_pool.hpp>
#include <coil/detail/off_loop.hpp>
#include <coil/detail/thread_call.hpp>
#include <coil/loop.hpp>
#include <system_error>

namespace coil::detail {
namespace {

// The wait ends at once: the future is cancelled, not the function.
HookResult cancel_wait(Suspension& leaf, Abort kind) noexcept {
  auto& wait = static_cast<FutureWait&>(leaf);
  HookResult result;
  result.taken = wait.target().cancel({});
  if (result.taken) wait.aborted = kind;
  return result;
}

}  // namespace

constinit const LeafKind to_thread_leaf{"to_thread", &cancel_wait};

void ThreadCallBase::submit() noexcept try {
  work_ = OutsideWork("to_thread");
  Loop& loop = get_running_loop();
  if (loop.is_simulated()) {
    loop.call_soon([call = Ref(this)] {
      const OffLoop off_loop;
      call->run();
    });
  } else {
    run_in_thread([call = Ref(this)] { call->run(); });
  }
} catch (const std::system_error& error) {
  work_ = {};
  fail(std::make_exception_ptr(std::system_error(
      error.code(),
      "to_thread: no thread can be started for it (raise the limit on processes or memory, see "
      "ulimit -a)")));
} catch (...) {
  work_ = {};
  fail(std::current_exception());
}

void ThreadCallBase::run() noexcept {
  if (state_.exchange(State::Begun, std::memory_order_acq_rel) != State::Waiting) return;
  call();
  work_ = {};
}

void ThreadCallBase::drop() noexcept {
  auto expected = State::Waiting;
  if (!state_.compare_exchange_strong(expected, State::Dropped, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
    return;
  let_go();
  work_ = {};
}

}  // namespace coil::detail

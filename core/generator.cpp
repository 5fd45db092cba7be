// How generators end: by aclose(), or by the loop when nobody wants them any more.
#include <coil/coro.hpp>
#include <coil/detail/check.hpp>
#include <coil/detail/future_awaiter.hpp>
#include <coil/detail/generator_base.hpp>
#include <coil/detail/scheduler.hpp>
#include <coil/detail/task_impl.hpp>
#include <coil/exception_context.hpp>
#include <stdexcept>
#include <string>

namespace coil::detail {
namespace {

// Throws GeneratorExit at the pending co_yield and runs the body to its end.
class CloseAwaiter : public NativeAwaiter {
 public:
  explicit CloseAwaiter(GeneratorBase& generator) noexcept : generator_(generator) {}

  [[nodiscard]] bool await_ready() noexcept {
    if (generator_.state().finish_unstarted()) return true;
    step_ = generator_.state().begin();
    return step_ != GeneratorBase::Step::Run;
  }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> consumer) noexcept {
    generator_.throw_at_yield();
    return generator_.resume_in(consumer);
  }
  void await_resume() {
    if (step_ == GeneratorBase::Step::Ended) return;
    if (step_ == GeneratorBase::Step::Busy) throw_generator_busy("aclose()");
    const bool ended = generator_.ended();
    const std::exception_ptr error = generator_.take_error();
    generator_.end_finished();
    if (!ended) throw std::runtime_error("async generator ignored GeneratorExit");
    if (error && !is_generator_exit(error)) std::rethrow_exception(error);
  }

 private:
  GeneratorBase& generator_;
  GeneratorBase::Step step_ = GeneratorBase::Step::Ended;
};

Coro<> close_in_background(GeneratorRef generator) {
  ExceptionContext context;
  try {
    co_await CloseAwaiter(*generator);
    co_return;
  } catch (const CancelledError&) {
    co_return;  // by itself: nobody else has a handle to this task
  } catch (...) {
    context.exception = std::current_exception();
  }
  context.message = "an error occurred during closing of an asynchronous generator";
  context.origin = generator->where;
  report(context);
}

}  // namespace

void throw_generator_busy(const char* operation) {
  throw std::runtime_error(std::string(operation) +
                           ": asynchronous generator is already running: await one step before "
                           "the next");
}

// The loop's task has the frame: a cancel of the waiter leaves it alone.
Coro<> close_generator(GeneratorRef generator) {
  if (generator->closer()) {
    co_await FutureWait(generator->closer(), shielded_leaf);
    co_return;
  }
  co_await CloseAwaiter(*generator);
}

void GeneratorBase::end_finished() noexcept {
  if (registry.load(std::memory_order_acquire) != nullptr) generator_finished(*this);
  state_.end(Phase::Finished);
}

void GeneratorBase::note_started() noexcept {
  started_ = true;
  generator_started(*this);
}

void GeneratorBase::close_soon() noexcept {
  if (closer_ || state_.phase() != Phase::Suspended) return;
  add_ref();
  state_.hand_over(/*dropped=*/false);
  hand_over();
}

// The last reference has gone.
void GeneratorBase::drop() noexcept {
  const auto phase = state_.phase();
  COIL_CHECK(phase != Phase::Running, "an AsyncGenerator is destroyed while a next() is under way");
  if (phase == Phase::Suspended && !closer_) {
    state_.hand_over(/*dropped=*/true);
    return hand_over();
  }
  if (registry.load(std::memory_order_acquire) != nullptr) generator_finished(*this);
  frame_.destroy();
}

// Gives one reference away.
void GeneratorBase::hand_over() noexcept {
  if (running_loop() != nullptr) {
    close_in_task(GeneratorRef(this, AdoptRef{}), nullptr);
    return;
  }
  Runnable::run = [](Runnable& self) noexcept {
    auto& generator = static_cast<GeneratorBase&>(self);
    close_in_task(GeneratorRef(&generator, AdoptRef{}), nullptr);
  };
  if (post_to_home(*this)) return;
  // Its Runner has gone, and with it everything that the body could wait for.
  state_.end(Phase::Finished);
  release();
}

FutureRef GeneratorBase::close_in_task(GeneratorRef generator, Loop* home) {
  const TaskBase* dropper = running_task();
  GeneratorBase& self = *generator;
  auto* task = new TaskImpl<void>(close_in_background(std::move(generator)), self.where);
  FutureRef handle(task, AdoptRef{});
  // As it was consumed, so it is closed: a pinned task's generator stays on its loop.
  if (dropper != nullptr) task->set_affinity(dropper->affinity());
  task->set_finalizer();
  self.closer_ = handle;
  start_task(*task, home, false);
  return handle;
}

}  // namespace coil::detail

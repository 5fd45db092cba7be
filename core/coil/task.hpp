// Task<T>: a coroutine that runs by itself (asyncio.Task), and create_task.
#pragma once

#include <coil/affinity.hpp>
#include <coil/context.hpp>
#include <coil/coro.hpp>
#include <coil/detail/task_impl.hpp>
#include <coil/future.hpp>
#include <coil/task_ref.hpp>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace coil {

struct TaskOptions {
  std::string_view name = {};  // default: "Task-<number>"
  // Runs in this context, changes it, and shares it with all who have it. Default: in a copy of
  // its maker's.
  std::optional<Context> context = {};
  Affinity affinity = Affinity::any;
  bool eager = false;  // run it at once, on this thread, until it first suspends
};

// A shared handle. Dropping every handle neither cancels nor loses the task; if it then fails, the
// exception handler gets "Task exception was never retrieved". Thread-safe.
template <class T = void>
class Task : public Future<T> {
 public:
  Task() noexcept = default;
  explicit Task(detail::TaskImpl<T>* impl) noexcept
      : Future<T>(detail::FutureRef(impl, detail::AdoptRef{}), impl) {}

  // How many cancel() calls have not been taken back by uncancel().
  [[nodiscard]] int cancelling() const { return base().cancelling(); }
  int uncancel() const { return base().uncancel(); }
  [[nodiscard]] std::string name() const { return base().name(); }
  void set_name(std::string_view name) const { base().set_name(name); }
  // The task's own context, not a copy: what the task sets, also later, is seen in it.
  [[nodiscard]] Context get_context() const { return Context(base().context.cell()); }
  // See TaskRef::get_stack.
  [[nodiscard]] std::vector<StackFrame> get_stack(
      std::size_t limit = static_cast<std::size_t>(-1)) const {
    return TaskRef(&base()).get_stack(limit);
  }
  // The loop that last ran the task.
  [[nodiscard]] Loop& get_loop() const { return *base().loop(); }

  operator TaskRef() const {  // NOLINT(google-explicit-constructor): promised
    return TaskRef(this->valid() ? &base() : nullptr);
  }

 private:
  [[nodiscard]] detail::TaskBase& base() const {
    return static_cast<detail::TaskBase&>(this->state());
  }
};

namespace detail {

template <class T>
Task<T> launch(Coro<T> coro, const TaskOptions& options, Loop* home, GroupNode* group,
               std::source_location origin) {
  if (!coro) throw std::invalid_argument("create_task: the coroutine is empty or was moved from");
  auto* impl = new TaskImpl<T>(std::move(coro), origin);
  Task<T> task(impl);
  try {
    if (!options.name.empty()) impl->set_name(options.name);
    if (options.context) impl->context.share(detail::ContextAccess::cell(*options.context));
    impl->set_affinity(home != nullptr ? Affinity::loop : options.affinity);
    if (group != nullptr) impl->join_group(*group);
  } catch (...) {
    impl->abandon();
    throw;
  }
  start_task(*impl, home, options.eager);
  return task;
}

}  // namespace detail

// Makes the coroutine (or other awaitable) a task of this thread's loop; it runs soon, not now
// (unless eager). Throws NoRunningLoop off a loop.
template <Awaitable A>
Task<detail::AsCoroResult<A>> create_task(
    A awaitable, TaskOptions options = {},
    std::source_location origin = std::source_location::current()) {
  detail::require_open_loop("create_task");
  return detail::launch(detail::as_coro(std::move(awaitable)), options, nullptr, nullptr, origin);
}
// The same for a function that returns one: function and arguments are kept alive.
template <class Fn>
  requires(!Awaitable<Fn> && Awaitable<std::invoke_result_t<Fn&>>)
auto create_task(Fn fn, TaskOptions options = {},
                 std::source_location origin = std::source_location::current()) {
  return create_task(detail::as_coro(std::move(fn)), options, origin);
}
template <class Fn, class... Args>
  requires(sizeof...(Args) > 0 && !Awaitable<Fn> &&
           Awaitable<std::invoke_result_t<Fn&, Args && ...>>)
auto create_task(Fn fn, Args... args) {
  detail::require_open_loop("create_task");
  return detail::launch(detail::as_coro(std::move(fn), std::move(args)...), {}, nullptr, nullptr,
                        std::source_location::current());
}

}  // namespace coil

template <class T>
struct std::hash<coil::Task<T>> : std::hash<coil::Future<T>> {};

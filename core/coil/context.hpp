// Context variables (Python's contextvars): values that a task has for itself and hands down to
// the tasks and callbacks that it makes.
#pragma once

#include <coil/detail/context_slot.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/ref.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace coil {

template <class T>
class ContextVar;

// What was looked up is not there (Python's LookupError).
class LookupError : public std::out_of_range {
 public:
  using std::out_of_range::out_of_range;
};

namespace detail {

struct ContextAccess;

// Out of line: which context is current hangs on a thread_local.
[[nodiscard]] const ContextValue* find_context_value(std::uint64_t key,
                                                     ContextValueRef& keep) noexcept;
[[nodiscard]] ContextChange set_context_value(std::uint64_t key, const ContextValueRef& value);
[[nodiscard]] bool restore_context_value(std::uint64_t key, const ContextChange& change);
[[nodiscard]] std::uint64_t next_context_key() noexcept;
[[noreturn]] void throw_no_context_value(const std::string& name);

template <class T>
const T& held_value(const ContextValue& value) noexcept {
  return static_cast<const HeldContextValue<T>&>(value).value;
}

// Context::run: enters, and leaves in any case.
class ContextRun {
 public:
  explicit ContextRun(ContextCell& cell);
  ~ContextRun();
  ContextRun(const ContextRun&) = delete;
  ContextRun& operator=(const ContextRun&) = delete;

 private:
  Ref<ContextCell> cell_;
  ContextSlot slot_;
  ContextEntry entry_;
};

}  // namespace detail

// What ContextVar::set returns, to undo it with ContextVar::reset. Dropping it undoes nothing.
template <class T>
class Token {
 public:
  Token(Token&& other) noexcept
      : key_(other.key_),
        change_(std::move(other.change_)),
        used_(std::exchange(other.used_, true)) {}
  Token& operator=(Token&&) = delete;
  ~Token() = default;

  // What the variable was set to before; nullopt if it was not set (Token.old_value, MISSING).
  [[nodiscard]] std::optional<T> old_value() const {
    if (!change_.old) return std::nullopt;
    return detail::held_value<T>(*change_.old);
  }

 private:
  friend class ContextVar<T>;
  Token(std::uint64_t key, detail::ContextChange change) noexcept
      : key_(key), change_(std::move(change)) {}

  std::uint64_t key_;
  detail::ContextChange change_;
  mutable bool used_ = false;
};

// A variable that has a value of its own in each context. Make them once, at namespace scope: a
// variable may go before the contexts that have a value for it, but its values stay with these.
//
// The current context is the running task's, or the callback's; in a thread that is no loop, and
// in the program before run(), the thread's own. T is copied out, so get() is safe whatever
// others set meanwhile. Every member may be called anywhere, at any time.
template <class T>
class ContextVar {
  static_assert(std::is_object_v<T> && std::is_copy_constructible_v<T>,
                "ContextVar<T>: get() copies, so T must be copyable: use a shared_ptr<T>");

 public:
  // Without a default, get() throws where the variable is not set.
  explicit ContextVar(std::string_view name) : name_(name) {}
  ContextVar(std::string_view name, T default_value)
      : name_(name), default_(std::move(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;
  ~ContextVar() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // The value in the current context, else the default; without one, throws LookupError.
  [[nodiscard]] T get() const {
    detail::ContextValueRef keep;
    if (const auto* value = detail::find_context_value(key_, keep))
      return detail::held_value<T>(*value);
    if (!default_) detail::throw_no_context_value(name_);
    return *default_;
  }
  // The value in the current context, else `fallback`, even if the variable has a default.
  [[nodiscard]] T get(T fallback) const {
    detail::ContextValueRef keep;
    if (const auto* value = detail::find_context_value(key_, keep))
      return detail::held_value<T>(*value);
    return fallback;
  }

  // Sets it in the current context: for this task and the tasks and callbacks that it makes from
  // now on, and for nobody else.
  Token<T> set(T value) {
    const detail::ContextValueRef held(new detail::HeldContextValue<T>(std::move(value)),
                                       detail::AdoptRef{});
    return Token<T>(key_, detail::set_context_value(key_, held));
  }

  // Makes it again what it was before that set(). Throws std::runtime_error if the token was used
  // before, std::invalid_argument if it is another variable's or comes from another context.
  void reset(const Token<T>& token) {
    if (token.used_)
      throw std::runtime_error("ContextVar '" + name_ + "': the token has already been used once");
    if (token.key_ != key_)
      throw std::invalid_argument("ContextVar '" + name_ +
                                  "': the token was made by another ContextVar");
    if (!detail::restore_context_value(key_, token.change_))
      throw std::invalid_argument("ContextVar '" + name_ +
                                  "': the token was made in another context: reset() belongs in "
                                  "the task that called set()");
    token.used_ = true;
  }

 private:
  friend struct detail::ContextAccess;

  std::string name_;
  std::optional<T> default_;
  const std::uint64_t key_ = detail::next_context_key();
};

template <class T>
ContextVar(std::string_view, T) -> ContextVar<T>;

// A context as an object: a shared handle, as in Python. Thread-safe.
class Context {
 public:
  Context()
      : Context(detail::Ref<detail::ContextCell>(new detail::ContextCell,  // empty
                                                 detail::AdoptRef{})) {}
  explicit Context(detail::Ref<detail::ContextCell> cell) noexcept : cell_(std::move(cell)) {}

  // Calls fn(args...) with this as the current context; what fn sets stays in it. For functions,
  // not coroutines: give a task TaskOptions.context instead. Throws std::runtime_error if the
  // context is entered already, here or on another thread; and what fn throws.
  template <class Fn, class... Args>
  decltype(auto) run(Fn&& fn, Args&&... args) const {
    const detail::ContextRun entered(*cell_);
    return std::forward<Fn>(fn)(std::forward<Args>(args)...);
  }

  [[nodiscard]] Context copy() const {
    return Context(detail::Ref<detail::ContextCell>(new detail::ContextCell(cell_->map()),
                                                    detail::AdoptRef{}));
  }
  // How many variables are set in it.
  [[nodiscard]] std::size_t size() const noexcept {
    return detail::ContextNode::count(cell_->map().get());
  }
  template <class T>
  [[nodiscard]] bool contains(const ContextVar<T>& var) const noexcept;
  // What the variable is set to in this context; nullopt if it is not, whatever its default.
  template <class T>
  [[nodiscard]] std::optional<T> get(const ContextVar<T>& var) const;
  // The same, or LookupError.
  template <class T>
  [[nodiscard]] T operator[](const ContextVar<T>& var) const;

 private:
  friend struct detail::ContextAccess;

  detail::Ref<detail::ContextCell> cell_;
};

// A copy of the current context, in constant time (contextvars.copy_context).
[[nodiscard]] Context copy_context();

namespace detail {

struct ContextAccess {
  [[nodiscard]] static ContextCell& cell(const Context& context) noexcept { return *context.cell_; }
  template <class T>
  [[nodiscard]] static std::uint64_t key(const ContextVar<T>& var) noexcept {
    return var.key_;
  }
};

}  // namespace detail

template <class T>
bool Context::contains(const ContextVar<T>& var) const noexcept {
  const auto map = cell_->map();
  return detail::ContextNode::find(map.get(), detail::ContextAccess::key(var)) != nullptr;
}
template <class T>
std::optional<T> Context::get(const ContextVar<T>& var) const {
  const auto map = cell_->map();
  const auto* value = detail::ContextNode::find(map.get(), detail::ContextAccess::key(var));
  if (value == nullptr) return std::nullopt;
  return detail::held_value<T>(*value);
}
template <class T>
T Context::operator[](const ContextVar<T>& var) const {
  auto value = get(var);
  if (!value) detail::throw_no_context_value(var.name());
  return std::move(*value);
}

}  // namespace coil

// A move-only callable, owned by pointer: what std::move_only_function is in C++23.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace coil::detail {

template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() noexcept = default;
  template <class F>
    requires(!std::same_as<std::decay_t<F>, UniqueFunction> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
  UniqueFunction(F&& fn)  // NOLINT(google-explicit-constructor)
      : target_(std::make_unique<Target<std::decay_t<F>>>(std::forward<F>(fn))) {}

  R operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }
  explicit operator bool() const noexcept { return target_ != nullptr; }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = delete;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual R call(Args... args) = 0;
  };
  template <class F>
  struct Target final : Base {
    explicit Target(F fn) : fn_(std::move(fn)) {}
    R call(Args... args) override { return static_cast<R>(fn_(std::forward<Args>(args)...)); }
    F fn_;
  };
  std::unique_ptr<Base> target_;
};

}  // namespace coil::detail

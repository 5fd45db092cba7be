// A move-only callable: what std::move_only_function is in C++23. Small ones cost no allocation.
#pragma once

#include <concepts>
#include <cstddef>
#include <new>
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
  UniqueFunction(F&& fn) {  // NOLINT(google-explicit-constructor): as std::function
    using Target = std::decay_t<F>;
    if constexpr (fits<Target>) {
      ::new (static_cast<void*>(room_)) Target(std::forward<F>(fn));
      kind_ = &small_kind<Target>;
    } else {
      ::new (static_cast<void*>(room_)) Target*(new Target(std::forward<F>(fn)));
      kind_ = &large_kind<Target>;
    }
  }
  UniqueFunction(UniqueFunction&& other) noexcept { take(other); }
  UniqueFunction& operator=(UniqueFunction&& other) noexcept {
    if (this == &other) return *this;
    reset();
    take(other);
    return *this;
  }
  ~UniqueFunction() { reset(); }

  R operator()(Args... args) { return kind_->call(room_, std::forward<Args>(args)...); }
  explicit operator bool() const noexcept { return kind_ != nullptr; }

 private:
  static constexpr std::size_t room_size = 3 * sizeof(void*);

  struct Kind {
    R (*call)(std::byte*, Args&&...);
    void (*move)(std::byte* from, std::byte* to) noexcept;  // and destroys what was moved from
    void (*destroy)(std::byte*) noexcept;
  };

  template <class F>
  static constexpr bool fits = sizeof(F) <= room_size && alignof(F) <= alignof(void*) &&
                               std::is_nothrow_move_constructible_v<F>;
  template <class F>
  static F& small(std::byte* room) noexcept {
    return *std::launder(reinterpret_cast<F*>(room));
  }
  template <class F>
  static F*& large(std::byte* room) noexcept {
    return *std::launder(reinterpret_cast<F**>(room));
  }
  template <class F>
  static constexpr Kind small_kind{
      [](std::byte* room, Args&&... args) -> R {
        return static_cast<R>(small<F>(room)(std::forward<Args>(args)...));
      },
      [](std::byte* from, std::byte* to) noexcept {
        ::new (static_cast<void*>(to)) F(std::move(small<F>(from)));
        small<F>(from).~F();
      },
      [](std::byte* room) noexcept { small<F>(room).~F(); }};
  template <class F>
  static constexpr Kind large_kind{
      [](std::byte* room, Args&&... args) -> R {
        return static_cast<R>((*large<F>(room))(std::forward<Args>(args)...));
      },
      [](std::byte* from, std::byte* to) noexcept {
        ::new (static_cast<void*>(to)) F*(large<F>(from));
      },
      [](std::byte* room) noexcept { delete large<F>(room); }};

  void take(UniqueFunction& other) noexcept {
    kind_ = std::exchange(other.kind_, nullptr);
    if (kind_ != nullptr) kind_->move(other.room_, room_);
  }
  void reset() noexcept {
    if (kind_ != nullptr) std::exchange(kind_, nullptr)->destroy(room_);
  }

  const Kind* kind_ = nullptr;
  alignas(void*) std::byte room_[room_size];
};

}  // namespace coil::detail

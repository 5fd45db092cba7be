// AsyncGenerator<T>: a coroutine that yields any number of values and may await in between
// (Python's asynchronous generator).
#pragma once

#include <coil/async_iterable.hpp>
#include <coil/coro.hpp>
#include <coil/detail/generator_base.hpp>
#include <concepts>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coil {

template <class T>
class AsyncGenerator;

namespace detail {

// The item stays where it was made, in the generator's frame, until the consumer has taken it.
template <class T>
class GeneratorPromise final : public GeneratorBase {
 public:
  using Item = std::optional<T>;

  explicit GeneratorPromise(std::source_location where = std::source_location::current()) noexcept
      : GeneratorBase(std::coroutine_handle<GeneratorPromise>::from_promise(*this), where) {}
  AsyncGenerator<T> get_return_object() noexcept;

  YieldAwaiter yield_value(T&& value) noexcept {
    rvalue_ = std::addressof(value);
    return {*this};
  }
  YieldAwaiter yield_value(const T& value) noexcept
    requires std::copy_constructible<T>
  {
    rvalue_ = nullptr;
    lvalue_ = std::addressof(value);
    return {*this};
  }
  [[nodiscard]] Item take_item() {
    if constexpr (std::copy_constructible<T>)
      if (rvalue_ == nullptr) return Item(std::in_place, *lvalue_);
    return Item(std::in_place, std::move(*rvalue_));
  }
  [[nodiscard]] static Item no_item() noexcept { return std::nullopt; }

 private:
  T* rvalue_ = nullptr;
  const T* lvalue_ = nullptr;
};

// References are handed through: the item is a pointer.
template <class T>
class GeneratorPromise<T&> final : public GeneratorBase {
 public:
  using Item = T*;

  explicit GeneratorPromise(std::source_location where = std::source_location::current()) noexcept
      : GeneratorBase(std::coroutine_handle<GeneratorPromise>::from_promise(*this), where) {}
  AsyncGenerator<T&> get_return_object() noexcept;

  YieldAwaiter yield_value(T& value) noexcept {
    item_ = std::addressof(value);
    return {*this};
  }
  [[nodiscard]] Item take_item() const noexcept { return item_; }
  [[nodiscard]] static Item no_item() noexcept { return nullptr; }

 private:
  T* item_ = nullptr;
};

// Awaited where it is made it borrows the generator; one that is moved (into a task, a timeout)
// keeps it alive.
template <class T>
class NextAwaiter : public NativeAwaiter {
 public:
  using Promise = GeneratorPromise<T>;

  explicit NextAwaiter(Promise& generator) noexcept : generator_(&generator) {}
  NextAwaiter(const NextAwaiter& other) noexcept
      : generator_(other.generator_), keep_(other.generator_) {}
  NextAwaiter& operator=(const NextAwaiter&) = delete;
  ~NextAwaiter() = default;

  [[nodiscard]] bool await_ready() noexcept {
    step_ = generator_->closer() ? GeneratorBase::Step::Ended : generator_->state().begin();
    return step_ != GeneratorBase::Step::Run;
  }
  template <class P>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<P> consumer) noexcept {
    return generator_->resume_in(consumer);
  }
  typename Promise::Item await_resume() {
    if (step_ != GeneratorBase::Step::Run) [[unlikely]] {
      if (step_ == GeneratorBase::Step::Busy) throw_generator_busy("next()");
      return Promise::no_item();
    }
    if (generator_->ended()) [[unlikely]] {
      const std::exception_ptr error = generator_->take_error();
      generator_->end_finished();
      if (error) std::rethrow_exception(error);
      return Promise::no_item();
    }
    const EndAtYield end{*generator_};
    return generator_->take_item();
  }

 private:
  struct EndAtYield {
    Promise& generator;
    ~EndAtYield() { generator.end_at_yield(); }
  };

  Promise* generator_;
  GeneratorRef keep_;
  GeneratorBase::Step step_ = GeneratorBase::Step::Ended;
};

}  // namespace detail

// Does nothing until the first next(). The body runs in the task that awaits next() or aclose():
// its current_task(), cancellation, scopes and context are that task's, which may be another one
// each time, on any loop; but one at a time. Dropped in the middle, it is closed by the loop, in a
// task of its own, and run() returns after that. T may be move-only, or an lvalue reference.
template <class T>
class [[nodiscard("a generator does nothing until next() is awaited")]] AsyncGenerator {
  static_assert(!std::is_void_v<T> && !std::is_rvalue_reference_v<T> &&
                    std::is_same_v<T, std::remove_cv_t<T>>,
                "AsyncGenerator<T>: T is a plain type or an lvalue reference");

 public:
  using promise_type = detail::GeneratorPromise<T>;
  using value_type = std::remove_cvref_t<T>;

  AsyncGenerator() noexcept = default;
  explicit AsyncGenerator(promise_type& promise) noexcept : promise_(&promise) {}
  AsyncGenerator(AsyncGenerator&& other) noexcept
      : promise_(std::exchange(other.promise_, nullptr)) {}
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    std::swap(promise_, other.promise_);
    return *this;
  }
  ~AsyncGenerator() {
    if (promise_ != nullptr) promise_->release();
  }

  // Awaited: the next item, as std::optional<T> (T&: as T*); empty once the body has ended. An
  // exception of the body comes out once, then it has ended. Throws std::runtime_error if another
  // next() or aclose() is under way. A cancel is thrown in the body, where that awaits.
  [[nodiscard]] detail::NextAwaiter<T> next() { return detail::NextAwaiter<T>(checked()); }
  // Awaited: ends it. The pending co_yield throws GeneratorExit, and aclose() returns when the
  // body has ended; throws what the body throws instead. Nothing if it has ended, or not begun.
  // A body that yields once more: std::runtime_error.
  [[nodiscard]] Coro<> aclose() {
    return detail::close_generator(detail::GeneratorRef(&checked()));
  }

  [[nodiscard]] explicit operator bool() const noexcept { return promise_ != nullptr; }

  // For COIL_FOR_AWAIT.
  [[nodiscard]] Coro<> close_after_loop() {
    return promise_ == nullptr || promise_->finished() ? Coro<>() : aclose();
  }
  void close_soon() noexcept {
    if (promise_ != nullptr) promise_->close_soon();
  }

 private:
  [[nodiscard]] promise_type& checked() const {
    if (promise_ == nullptr) [[unlikely]]
      throw std::runtime_error("the AsyncGenerator is empty or was moved from");
    return *promise_;
  }

  promise_type* promise_ = nullptr;
};

template <class T>
AsyncGenerator<T> detail::GeneratorPromise<T>::get_return_object() noexcept {
  static_assert(alignof(GeneratorPromise) <= promise_alignment_max);
  return AsyncGenerator<T>(*this);
}
template <class T>
AsyncGenerator<T&> detail::GeneratorPromise<T&>::get_return_object() noexcept {
  return AsyncGenerator<T&>(*this);
}

}  // namespace coil

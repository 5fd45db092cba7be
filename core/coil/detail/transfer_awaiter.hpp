// co_await put and co_await get on a TransferQueue.
//
// Ready without a suspension where nobody has to wait: no frame, no cancellation then. An
// operation may be moved and handed on (wait_for(queue.get(), 1s)), its awaiter may not.
// `Keep` is what must live as long as the operation; `Errors` says what a refusal throws.
#pragma once

#include <coil/detail/item_cell.hpp>
#include <coil/detail/transfer_queue.hpp>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace coil::detail {

struct KeepNothing {};

template <class Core, class Errors, class Keep>
class PutAwaiter : public Putter<typename Core::Cell> {
  using Base = Putter<typename Core::Cell>;

 public:
  PutAwaiter(Core& core, HandleMark handle, Keep&& keep, typename Core::Cell&& cell) noexcept
      : Base(Errors::put_leaf, core.putters(), handle, std::move(cell)),
        core_(core),
        keep_(std::move(keep)) {}

  [[nodiscard]] bool await_ready() { return settled(core_.try_put(this->cell, this->handle)); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this,
                                        [this] { return !settled(core_.put_or_wait(*this)); });
  }
  void await_resume() {
    if (this->outcome != Transfer::Done) [[unlikely]]
      fail();
  }

 private:
  // Waiting: who wakes us writes the outcome, maybe right now.
  bool settled(Transfer outcome) noexcept {
    if (outcome == Transfer::Waiting) return false;
    this->outcome = outcome;
    return true;
  }
  [[noreturn, gnu::noinline]] void fail() {
    if (this->aborted != Abort::None) this->task->throw_cancelled(this->aborted);
    if (this->error) std::rethrow_exception(std::move(this->error));
    Errors::throw_put(this->outcome);
  }

  Core& core_;
  [[no_unique_address]] Keep keep_;
};

template <class Core, class Errors, class Keep = KeepNothing>
struct [[nodiscard("nothing is put until it is awaited")]] PutOperation {
  Core* core;
  HandleMark handle;
  [[no_unique_address]] Keep keep;
  typename Core::Cell cell;

  PutAwaiter<Core, Errors, Keep> operator co_await() && {
    return {*core, handle, std::move(keep), std::move(cell)};
  }
};

// Gives T, or for `Result` = std::optional<T> nothing at the end.
template <class Core, class Errors, class Keep, class Result>
class GetAwaiter : public Getter<typename Core::Cell> {
  using Base = Getter<typename Core::Cell>;

 public:
  GetAwaiter(Core& core, HandleMark handle, Keep&& keep) noexcept
      : Base(Errors::get_leaf, core.getters(), handle), core_(core), keep_(std::move(keep)) {}

  [[nodiscard]] bool await_ready() { return settled(core_.try_get(this->cell, this->handle)); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this,
                                        [this] { return !settled(core_.get_or_wait(*this)); });
  }
  Result await_resume() {
    if (this->outcome == Transfer::Done) [[likely]]
      return Result(std::move(this->cell->item()));
    if constexpr (!std::is_same_v<Result, typename Core::Value>)
      if (this->outcome == Transfer::Refused) return std::nullopt;
    fail();
  }

 private:
  bool settled(Transfer outcome) noexcept {
    if (outcome == Transfer::Waiting) return false;
    this->outcome = outcome;
    return true;
  }
  [[noreturn, gnu::noinline]] void fail() {
    if (this->aborted != Abort::None) this->task->throw_cancelled(this->aborted);
    Errors::throw_get(this->outcome);
  }

  Core& core_;
  [[no_unique_address]] Keep keep_;
};

template <class Core, class Errors, class Keep = KeepNothing, class Result = typename Core::Value>
struct [[nodiscard("nothing is taken until it is awaited")]] GetOperation {
  Core* core;
  HandleMark handle;
  [[no_unique_address]] Keep keep;

  GetAwaiter<Core, Errors, Keep, Result> operator co_await() && {
    return {*core, handle, std::move(keep)};
  }
  GetAwaiter<Core, Errors, Keep, Result> operator co_await() const& {
    return {*core, handle, Keep(keep)};
  }
};

// For the ..._nowait operations: what was refused is the caller's again.
template <class T>
void give_back(T& item, ItemCell<T>& cell) {
  if constexpr (kept_inline<T>) {
    item.~T();
    ::new (static_cast<void*>(std::addressof(item))) T(std::move(cell.item()));
  } else if constexpr (std::is_move_assignable_v<T>) {
    item = std::move(cell.item());
  }
}

}  // namespace coil::detail

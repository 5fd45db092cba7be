// Memory channels (trio.open_memory_channel): a queue with two ends that can be cloned and closed.
//
// Closing the last sender ends the receivers' iteration once the buffer is empty; closing the last
// receiver breaks the senders.
#pragma once

#include <coil/channel_errors.hpp>
#include <coil/detail/channel_state.hpp>
#include <coil/detail/transfer_awaiter.hpp>
#include <concepts>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace coil {

// A buffer without a bound (Trio: math.inf). An infinite floating number says the same.
inline constexpr std::size_t unbounded_buffer = static_cast<std::size_t>(-1);

// trio.MemoryChannelStatistics.
struct MemoryChannelStatistics {
  std::size_t current_buffer_used = 0;
  std::size_t max_buffer_size = 0;
  std::size_t open_send_channels = 0;
  std::size_t open_receive_channels = 0;
  std::size_t tasks_waiting_send = 0;
  std::size_t tasks_waiting_receive = 0;
  friend bool operator==(const MemoryChannelStatistics&, const MemoryChannelStatistics&) = default;
};

namespace detail {

struct ChannelErrors {
  static const LeafKind put_leaf;
  static const LeafKind get_leaf;
  [[noreturn]] static void throw_put(Transfer outcome);
  [[noreturn]] static void throw_get(Transfer outcome);
};

template <class T>
MemoryChannelStatistics channel_statistics(ChannelState<T>& state) noexcept {
  MemoryChannelStatistics result;
  state.core.alone([&](auto& locked) noexcept {
    result = {.current_buffer_used = state.core.size(),
              .max_buffer_size = state.core.capacity(),
              .open_send_channels = state.senders,
              .open_receive_channels = state.receivers,
              .tasks_waiting_send = locked.count_putters(),
              .tasks_waiting_receive = locked.count_getters()};
  });
  return result;
}

// What both kinds of handle do: own, clone, close.
template <class T, bool Sends>
class ChannelEnd {
 public:
  // Closes this handle: what is done with it from now on, and the tasks that wait in it, get
  // ClosedResourceError; other clones go on. Again: nothing. The destructor does it too. Any
  // thread.
  void close() const noexcept {
    if (handle_) handle_->close();
  }
  [[nodiscard]] MemoryChannelStatistics statistics() const {
    return channel_statistics(*checked().state);
  }

 protected:
  using Handle = ChannelHandle<T, Sends>;

  ChannelEnd() noexcept = default;
  explicit ChannelEnd(Ref<Handle> handle) noexcept : handle_(std::move(handle)) {}
  ChannelEnd(ChannelEnd&&) noexcept = default;
  ChannelEnd& operator=(ChannelEnd&& other) noexcept {
    ChannelEnd old(std::move(*this));  // closed at the end
    handle_.swap(other.handle_);
    return *this;
  }
  ~ChannelEnd() { close(); }

  [[nodiscard]] Handle& checked() const {
    if (!handle_) [[unlikely]]
      throw ClosedResourceError("this handle of a channel is empty: it was moved from");
    return *handle_;
  }
  [[nodiscard]] const Ref<Handle>& held() const {
    (void)checked();
    return handle_;
  }
  [[nodiscard]] Ref<Handle> cloned() const {
    Ref<Handle> other = checked().clone();
    if (!other) throw ClosedResourceError("clone: this handle of a channel has been closed");
    return other;
  }

 private:
  Ref<Handle> handle_;
};

}  // namespace detail

// The end that sends. Move-only; clone() makes another one. All members may be called from tasks
// on any loop at once, those that do not wait from other threads too; first come, first served.
// Moving or dropping the handle while it is being used is the user's to avoid; a task that waits in
// it when it goes gets ClosedResourceError.
template <class T>
class MemorySendChannel : public detail::ChannelEnd<T, true> {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && std::is_move_constructible_v<T>,
                "a channel carries movable objects: no references, nothing const");
  using End = detail::ChannelEnd<T, true>;
  using Handle = typename End::Handle;
  using Core = typename detail::ChannelState<T>::Core;
  using Cell = typename Core::Cell;

 public:
  MemorySendChannel() noexcept = default;  // closed
  explicit MemorySendChannel(detail::Ref<Handle> handle) noexcept : End(std::move(handle)) {}

  // co_await send(value): waits while the buffer is full (size 0: until somebody receives it).
  // Throws BrokenResourceError if every receiver is closed, now or while it waits,
  // ClosedResourceError, CancelledError; then nothing was sent.
  detail::PutOperation<Core, detail::ChannelErrors, detail::Ref<Handle>> send(T value) const {
    auto& handle = this->checked();
    return {&handle.state->core, &handle.closed, this->held(), Cell(std::move(value))};
  }
  // The same without waiting. Throws WouldBlock; `value` is left as it was when this throws.
  void send_nowait(T&& value) const {
    auto& handle = this->checked();
    Cell cell(std::move(value));
    const detail::Transfer outcome = handle.state->core.try_put(cell, &handle.closed);
    if (outcome == detail::Transfer::Done) return;
    detail::give_back(value, cell);
    detail::ChannelErrors::throw_put(outcome);
  }
  void send_nowait(const T& value) const
    requires std::copy_constructible<T>
  {
    send_nowait(T(value));
  }
  // Another sender of the same channel. Throws ClosedResourceError.
  [[nodiscard]] MemorySendChannel clone() const { return MemorySendChannel(this->cloned()); }
};

// The end that receives; as MemorySendChannel.
template <class T>
class MemoryReceiveChannel : public detail::ChannelEnd<T, false> {
  using End = detail::ChannelEnd<T, false>;
  using Handle = typename End::Handle;
  using Core = typename detail::ChannelState<T>::Core;
  template <class Result>
  using Get = detail::GetOperation<Core, detail::ChannelErrors, detail::Ref<Handle>, Result>;

 public:
  using value_type = T;

  MemoryReceiveChannel() noexcept = default;  // closed
  explicit MemoryReceiveChannel(detail::Ref<Handle> handle) noexcept : End(std::move(handle)) {}

  // co_await receive(): the next value, waiting for one. Throws EndOfChannel if there is none and
  // every sender is closed, now or while it waits, ClosedResourceError, CancelledError.
  Get<T> receive() const {
    auto& handle = this->checked();
    return {&handle.state->core, &handle.closed, this->held()};
  }
  // co_await next(): the same as an optional, empty at the end of the channel:
  // while (auto value = co_await receiver.next())
  Get<std::optional<T>> next() const {
    auto& handle = this->checked();
    return {&handle.state->core, &handle.closed, this->held()};
  }
  // Without waiting. Throws WouldBlock, EndOfChannel, ClosedResourceError.
  T receive_nowait() const {
    auto& handle = this->checked();
    std::optional<typename Core::Cell> cell;
    const detail::Transfer outcome = handle.state->core.try_get(cell, &handle.closed);
    if (outcome != detail::Transfer::Done) [[unlikely]]
      detail::ChannelErrors::throw_get(outcome);
    return T(std::move(cell->item()));
  }
  // Another receiver of the same channel: each value goes to one of them. Throws
  // ClosedResourceError.
  [[nodiscard]] MemoryReceiveChannel clone() const { return MemoryReceiveChannel(this->cloned()); }
};

template <class T>
struct MemoryChannel {
  MemorySendChannel<T> sender;
  MemoryReceiveChannel<T> receiver;
};

// A channel that buffers up to `max_buffer_size` values: 0, each send waits for its receive;
// unbounded_buffer or an infinite floating number, no send ever waits. Throws
// std::invalid_argument for a negative size or any other floating number.
template <class T, class Size>
  requires std::is_arithmetic_v<Size>
[[nodiscard]] MemoryChannel<T> open_memory_channel(Size max_buffer_size) {
  std::size_t capacity = unbounded_buffer;
  if (max_buffer_size < Size(0))
    throw std::invalid_argument("open_memory_channel: max_buffer_size must be >= 0");
  if constexpr (std::is_integral_v<Size>) {
    capacity = static_cast<std::size_t>(max_buffer_size);
  } else if (!__builtin_isinf(max_buffer_size)) {
    throw std::invalid_argument(
        "open_memory_channel: max_buffer_size must be an integer, infinity or unbounded_buffer");
  }
  using State = detail::ChannelState<T>;
  const detail::Ref<State> state(new State(capacity), detail::AdoptRef{});
  using Sends = detail::ChannelHandle<T, true>;
  using Receives = detail::ChannelHandle<T, false>;
  return {MemorySendChannel<T>(detail::Ref<Sends>(new Sends(state), detail::AdoptRef{})),
          MemoryReceiveChannel<T>(detail::Ref<Receives>(new Receives(state), detail::AdoptRef{}))};
}

}  // namespace coil

// What the handles of one memory channel share, and what lies behind one handle.
//
// Invariant: the counts of open handles and each handle's `closed` change under both locks of the
// transfer queue. A task that waits in a handle holds it, and so the state: closing and dropping
// the handle leaves the canceller of that task a line to look at.
#pragma once

#include <coil/detail/block_fifo.hpp>
#include <coil/detail/counted.hpp>
#include <coil/detail/ref.hpp>
#include <coil/detail/transfer_queue.hpp>
#include <cstddef>
#include <utility>

namespace coil::detail {

template <class T>
class ChannelState : public Counted<ChannelState<T>> {
 public:
  using Core = TransferQueue<BlockFifo<T>>;
  using Items = typename BlockFifo<T>::Items;

  explicit ChannelState(std::size_t capacity) : core(capacity) {}

  Core core;
  std::size_t senders = 1;
  std::size_t receivers = 1;

 private:
  friend class Counted<ChannelState<T>>;
  ~ChannelState() = default;
};

// One handle. `Sends` tells which end it is of. On a cache line of its own: the two ends are used
// by different processors.
template <class T, bool Sends>
class alignas(64) ChannelHandle : public Counted<ChannelHandle<T, Sends>> {
 public:
  using State = ChannelState<T>;
  using Self = Ref<ChannelHandle>;

  explicit ChannelHandle(Ref<State> s) : state(std::move(s)) {}

  // Another one of the same end, or null if this one is closed.
  [[nodiscard]] Self clone() {
    Self other(new ChannelHandle(state), AdoptRef{});
    bool open = false;
    state->core.alone([&](auto&) noexcept {
      open = !closed;
      if (open) ++count();
    });
    return open ? std::move(other) : Self();
  }

  // Tasks that wait in this handle are told; if it is the last of its end, so is the other end.
  void close() noexcept {
    typename State::Items dropped;  // destroyed at the end, under no lock
    state->core.alone([&](auto& locked) noexcept {
      if (std::exchange(closed, true)) return;
      const bool last = --count() == 0;
      if constexpr (Sends) {
        locked.close_putters(&closed);
        if (last) locked.end_gets();
      } else {
        locked.close_getters(&closed);
        if (!last) return;
        locked.refuse_puts();
        locked.move_items_to(dropped);
      }
    });
  }

  Ref<State> state;
  bool closed = false;

 private:
  friend class Counted<ChannelHandle>;
  ~ChannelHandle() = default;
  [[nodiscard]] std::size_t& count() noexcept { return Sends ? state->senders : state->receivers; }
};

}  // namespace coil::detail

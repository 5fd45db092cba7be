// How a loop that blocks in the kernel is woken, and how nobody wakes one in vain.
//
// Invariant: after notify() the owner leaves park(), or does not enter it, and looks into its
// queues afterwards. One word decides who has to do what:
//
//   any thread                             the owner
//   1. push work into a queue              a. look into the queues: empty
//   2. old = word.exchange(Notified)       b. begin_park: CAS Awake -> Parked
//   3. old == Parked: signal(), so that       fails (Notified): word = Awake, go to e
//      a completion appears in the ring    c. block until there is a completion
//      else: nothing to do                 d. end_park: word = Awake
//                                          e. look into the queues
//
// All steps on the word are read-modify-writes, so they have one order. 2 before b: b fails.
// b before 2: whoever set Notified first signals, c ends. Either way the owner's next RMW reads
// 2 or what came after it (acquire, release), so e sees 1.
// A signal whose owner was woken by something else ends a later park early: harmless.
#pragma once

#include <coil/detail/atomic.hpp>
#include <cstdint>

namespace coil::detail::uring {

// The word alone, so that a model checker can run exactly this code.
class WakeState {
 public:
  // Any thread. True: the owner sleeps and nobody has signalled it yet, so the caller must.
  [[nodiscard]] bool notify() noexcept {
    return word_.exchange(Word::Notified, std::memory_order_acq_rel) == Word::Parked;
  }
  // Owner. False: a notification was there, and is taken: do not block.
  [[nodiscard]] bool begin_park() noexcept {
    auto expected = Word::Awake;
    if (word_.compare_exchange_strong(expected, Word::Parked, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      return true;
    }
    end_park();
    return false;
  }
  void end_park() noexcept { word_.exchange(Word::Awake, std::memory_order_acq_rel); }

 private:
  enum class Word : std::uint8_t { Awake, Parked, Notified };
  Atomic<Word> word_{Word::Awake};
};

// The ways to make a completion appear in another thread's ring, slow to fast. Each needs a
// newer kernel than the one before, and falls back to it.
enum class WakeRoute : std::uint8_t {
  EventFd,        // write(2) to an eventfd that the ring polls
  RingMessage,    // MSG_RING from the caller's own ring; loops only
  DirectMessage,  // MSG_RING without a ring (6.13); any thread
};

// The bell at a loop's door. Rung only after WakeState::notify() said so.
class Bell {
 public:
  Bell();  // throws std::system_error
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();

  [[nodiscard]] int eventfd() const noexcept { return eventfd_; }

  // Any thread, async-signal-safe.
  void ring_by_eventfd() const noexcept;
  // The same through a message to `ring`. False: this kernel can't.
  [[nodiscard]] static bool ring_by_message(int ring) noexcept;

 private:
  int eventfd_;
};

}  // namespace coil::detail::uring

// Where a loop keeps the children of its forks: the owner pushes and takes at the bottom without
// an atomic read-modify-write, thieves steal at the top.
//
//   top            limit             bottom
//    | public: ours |  private: the   |
//    | or a thief's |  owner's alone  |
//
// The owner works in the private part with plain loads and stores. While some loop looks for work
// it makes all of it public (share()), and takes those items back as in a Chase-Lev deque:
//
//   owner, of the public part               thief, steal()
//   1. limit: compare-exchange to b         a. reads top
//   2. reads top                            b. reads limit
//   3. last one left: compare-exchange top  c. compare-exchange top
//
// Only the last item is dangerous. 1 before 2 and a before b are seq_cst: in their one order either
// 1 precedes b, and the thief leaves empty-handed, or a precedes 2, and the compare-exchange picks
// one winner.
//
// The owner may not fork again for long. Then a thief makes the oldest private item public:
//
//   owner, of the private part              thief, force()
//   i.  writes bottom = b                   A. marks limit: an item is being forced
//   ii. reads limit: above b, or marked     B. process_barrier()
//       at b -> waits until A is undone     C. reads bottom: above the item -> raises limit
//       or done, then as above                                 else undoes A
//
// The barrier stands for a fence between i and ii, whenever it matters: either i is before it, and
// C sees that the item is gone, or ii is after it and sees A.
// Parking: an owner pushes, then looks for idle loops; a loop that is about to sleep is seen to be
// idle, then calls process_barrier() if is_open(), then looks at the bottom. The first push
// opens the deque; that store and the look for idle loops after it are seq_cst, so either the
// parker sees it open, or the owner sees the parker. The ring grows by doubling; old rings live
// until the deque does, for thieves that still read. Kept by tests/model/fork_deque_model.cpp.
#pragma once

#include <atomic>
#include <coil/detail/atomic.hpp>
#include <coil/detail/fork_taken.hpp>
#include <coil/detail/spin_lock.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "process_barrier.hpp"

namespace coil::detail {

template <class T>
class ForkDeque {
 public:
  explicit ForkDeque(std::size_t capacity = 256) { use(add_ring(capacity)); }

  // Owner. Throws std::bad_alloc, and then nothing was pushed.
  void push(T& item) {
    if (try_push(item)) [[likely]]
      return;
    make_room(bottom_.load(std::memory_order_relaxed));
    (void)try_push(item);
  }
  // Owner. False: nothing was pushed, push() makes room.
  [[nodiscard]] bool try_push(T& item) noexcept {
    const auto bottom = bottom_.load(std::memory_order_relaxed);
    if (bottom == push_limit_) [[unlikely]]
      return false;
    own_slot(bottom).store(&item, std::memory_order_relaxed);
    // Release: a thief that sees the new bottom sees the item.
    bottom_.store(bottom + 1, std::memory_order_release);
    return true;
  }

  // Takes the newest if it is this one. Owner.
  [[nodiscard]] bool take(T& item) noexcept {
    const auto taken = try_take(item);
    return taken == ForkTaken::Yes || (taken == ForkTaken::Perhaps && finish_take());
  }
  // The same in two halves, for who has little to lose: Perhaps: finish_take() tells.
  [[nodiscard]] ForkTaken try_take(T& item) noexcept {
    const auto newest = bottom_.load(std::memory_order_relaxed) - 1;
    if (own_slot(newest).load(std::memory_order_relaxed) != &item) return ForkTaken::No;
    return claim_private(newest) ? ForkTaken::Yes : ForkTaken::Perhaps;
  }
  [[nodiscard]] bool finish_take() noexcept {
    return claim_public(bottom_.load(std::memory_order_relaxed));
  }
  // Takes the newest, or nullptr. Owner.
  [[nodiscard]] T* take() noexcept {
    if (empty()) return nullptr;
    const auto newest = bottom_.load(std::memory_order_relaxed) - 1;
    T* item = own_slot(newest).load(std::memory_order_relaxed);
    return claim(newest) ? item : nullptr;
  }
  // Lets thieves have everything. Owner, after a push, while somebody looks for work.
  void share() noexcept {
    const Word wanted = word_of(bottom_.load(std::memory_order_relaxed));
    Word word = limit_.load(std::memory_order_relaxed);
    // Not while something is forced: whoever wants work is about to get it.
    while (word < wanted && (!is_marked(word) || COIL_MUTATION("share.over_mark")))
      if (limit_.compare_exchange_weak(word, wanted, std::memory_order_seq_cst,
                                       std::memory_order_relaxed))
        return;
  }

  // Owner: nothing was left here; those who park need not mind this deque until the next push.
  void close() noexcept {
    if (!is_open() || !empty()) return;
    push_limit_ = bottom_.load(std::memory_order_relaxed);
    open_.store(false, std::memory_order_release);
  }
  // Any thread: the owner may have pushed what nobody was told of.
  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_seq_cst); }

  // Takes the oldest public item, or nullptr: none, or somebody else was faster. Any thread.
  [[nodiscard]] T* steal() noexcept {
    auto top = top_.load(std::memory_order_seq_cst);
    if (top >= index_of(limit_.load(std::memory_order_seq_cst))) return nullptr;
    T* item = ring_.load(std::memory_order_acquire)->slot(top).load(std::memory_order_relaxed);
    return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)
               ? item
               : nullptr;
  }
  // Makes the oldest private item public, if there is one. Any thread but the owner's; takes as
  // long as it takes to interrupt every processor. False: there was none.
  [[nodiscard]] bool force() noexcept {
    // Seen marked: the other one tells us, see the users' parking.
    Word word = limit_.load(std::memory_order_seq_cst);
    const auto oldest = index_of(word);
    if (is_marked(word) || bottom_.load(std::memory_order_acquire) <= oldest) return false;
    if (!COIL_MUTATION("force.no_mark") &&
        !limit_.compare_exchange_strong(word, mark(word), std::memory_order_seq_cst,
                                        std::memory_order_relaxed))
      return false;
    if (!COIL_MUTATION("force.no_barrier")) process_barrier();
    const bool there =
        bottom_.load(std::memory_order_acquire) > oldest || COIL_MUTATION("force.no_second_look");
    limit_.store(word_of(there ? oldest + 1 : oldest), std::memory_order_seq_cst);
    return there;
  }

  // Any thread; a hint, unless nothing is pushed or taken meanwhile.
  [[nodiscard]] bool empty() const noexcept {
    return top_.load(std::memory_order_seq_cst) >= bottom_.load(std::memory_order_seq_cst);
  }
  [[nodiscard]] bool has_public() const noexcept {
    return top_.load(std::memory_order_seq_cst) < index_of(limit_.load(std::memory_order_seq_cst));
  }

 private:
  using Index = std::int64_t;
  using Word = std::int64_t;  // of limit_: the index twice, and one more while an item is forced

  struct Ring {
    explicit Ring(std::size_t n) : size(n), slots(std::make_unique<Atomic<T*>[]>(n)) {}
    [[nodiscard]] Atomic<T*>& slot(Index i) noexcept {
      return slots[static_cast<std::size_t>(i) & (size - 1)];
    }
    std::size_t size;
    std::unique_ptr<Atomic<T*>[]> slots;
  };

  static constexpr Word word_of(Index index) noexcept { return 2 * index; }
  static constexpr Index index_of(Word word) noexcept { return word >> 1; }
  static constexpr Word mark(Word word) noexcept { return word + 1; }
  static constexpr bool is_marked(Word word) noexcept { return (word & 1) != 0; }

  // The newest item, which lies at b, becomes ours unless a thief is faster.
  bool claim(Index b) noexcept { return claim_private(b) || claim_public(b); }

  // False: it may be public, and claim_public() must follow.
  bool claim_private(Index b) noexcept {
    // Release, as in push(): who forces the item below must see that, and reads this.
    bottom_.store(b, std::memory_order_release);
#ifndef COIL_MODEL
    std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler's part of the barrier
#endif
    return word_of(b) >= limit_.load(std::memory_order_acquire);
  }

  [[gnu::noinline]] bool claim_public(Index b) noexcept {
    if (!lower_limit(b)) return true;  // it was being forced, and is not any more
    auto top = top_.load(std::memory_order_seq_cst);
    if (top < b) return true;
    const bool won = top == b && top_.compare_exchange_strong(top, b + 1, std::memory_order_seq_cst,
                                                              std::memory_order_relaxed);
    // Empty: all three meet above the item. A thief that still sees it below bottom may mark limit.
    int spins = 0;
    for (Word word = word_of(b); !limit_.compare_exchange_weak(
             word, word_of(b + 1), std::memory_order_seq_cst, std::memory_order_relaxed);
         word = word_of(b))
      wait(spins);
    bottom_.store(b + 1, std::memory_order_release);
    return won;
  }
  // False: the item at b is private.
  bool lower_limit(Index b) noexcept {
    int spins = 0;
    Word word = limit_.load(std::memory_order_acquire);
    while (word_of(b) < word) {
      if (is_marked(word)) {
        wait(spins);
        word = limit_.load(std::memory_order_acquire);
      } else if (limit_.compare_exchange_weak(word, word_of(b), std::memory_order_seq_cst,
                                              std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }

  // For a thief between A and C: some microseconds, unless it has lost its processor.
  static void wait(int& spins) noexcept {
    spin_pause();
#ifndef COIL_MODEL
    if (++spins > 100) spin_wait_long();
#else
    (void)spins;
#endif
  }

  [[gnu::noinline]] void make_room(Index bottom) {
    const auto top = top_.load(std::memory_order_acquire);
    Ring* ring = ring_.load(std::memory_order_relaxed);
    if (bottom - top >= static_cast<Index>(ring->size)) ring = grow(*ring, top, bottom);
    push_limit_ = top + static_cast<Index>(ring->size);
    if (!open_.load(std::memory_order_relaxed)) open_.store(true, std::memory_order_seq_cst);
  }
  Ring* add_ring(std::size_t size) {
    rings_.push_back(std::make_unique<Ring>(size));
    return rings_.back().get();
  }
  Ring* grow(Ring& old, Index top, Index bottom) {
    Ring* ring = add_ring(old.size * 2);
    for (auto i = top; i < bottom; ++i)
      ring->slot(i).store(old.slot(i).load(std::memory_order_relaxed), std::memory_order_relaxed);
    use(ring);
    return ring;
  }
  void use(Ring* ring) noexcept {
    own_slots_ = ring->slots.get();
    own_mask_ = ring->size - 1;
    ring_.store(ring, std::memory_order_release);  // pairs with the acquire in steal()
  }
  [[nodiscard]] Atomic<T*>& own_slot(Index i) noexcept {
    return own_slots_[static_cast<std::size_t>(i) & own_mask_];
  }

  alignas(64) Atomic<Index> top_{0};
  alignas(64) Atomic<Word> limit_{0};
  Atomic<Index> bottom_{0};
  // Owner only.
  Index push_limit_ = 0;  // a push here needs room, or is the first since close()
  Atomic<T*>* own_slots_ = nullptr;
  std::size_t own_mask_ = 0;

  Atomic<Ring*> ring_{nullptr};
  Atomic<bool> open_{false};
  std::vector<std::unique_ptr<Ring>> rings_;  // owner only
};

}  // namespace coil::detail

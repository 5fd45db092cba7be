// Which loops have nothing to do, and who wakes whom: no lost wake-up, no herd.
//
//   submitter                              parker (a loop that found nothing)
//   1. pushes into some queue              a. end_search(), if it was searching
//   2. claim_idle(): somebody searches     b. publishes itself idle
//      already -> done; else takes one     c. looks in every queue once more; found -> leaves
//      idle loop out of the set               the set again
//   3. wakes that loop                     d. blocks until woken
//
// 1, 2, b and c are seq_cst (2 and b of counts_). In their one order either 1 precedes c, and the
// parker finds the item, or b precedes 2, and the submitter sees it idle. "Somebody searches
// already" is enough, because that one does a and c later, after 2. A loop taken out of the set by
// a submitter counts as searching from that moment on. A searcher that finds something and was the
// last one wakes the next: work spreads one loop at a time. At most half of the loops search at
// once. To publish is to set the loop's bit and then to count it: who sees no count need not look
// at the bits. Kept by tests/model/idle_set_model.cpp, "no item stays while all loops sleep".
#pragma once

#include <bit>
#include <coil/detail/atomic.hpp>
#include <cstdint>
#include <memory>

#include "steal_policy.hpp"

namespace coil::detail {

class IdleSet {
 public:
  explicit IdleSet(unsigned loops) : IdleSet(loops, steal_policy::searchers_max(loops)) {}
  IdleSet(unsigned loops, unsigned searchers_max)
      : loops_(loops),
        searchers_max_(static_cast<int>(searchers_max)),
        words_(std::make_unique<Atomic<std::uint64_t>[]>(word_count())) {}

  // Any thread, after a push. Gives the loop to wake, or -1. Starts to look at `near`.
  [[nodiscard]] int claim_idle(unsigned near) noexcept {
    const auto counts = counts_.load(std::memory_order_seq_cst);
    if (counts == 0 || searching_of(counts) != 0) return -1;
    return claim_any(near);
  }
  // The same although somebody searches: for one who found work and sees more.
  [[nodiscard]] int claim_any(unsigned near) noexcept {
    const unsigned first = near / 64;
    for (unsigned i = 0; i < word_count(); ++i) {
      const unsigned index = (first + i) % word_count();
      auto word = words_[index].load(std::memory_order_acquire);
      while (word != 0) {
        const auto bit = std::uint64_t{1} << std::countr_zero(word);
        word = words_[index].fetch_and(~bit, std::memory_order_acq_rel);
        if ((word & bit) != 0) {
          counts_.fetch_add(one_searching - one_published, std::memory_order_seq_cst);
          return static_cast<int>(index * 64 + static_cast<unsigned>(std::countr_zero(bit)));
        }
      }
    }
    return -1;
  }

  // A loop looks for work, or sleeps: for who would rather keep it to himself.
  [[nodiscard]] bool anyone_idle() const noexcept {
    return counts_.load(std::memory_order_seq_cst) != 0;
  }

  // A loop that has run out of work. False: enough are searching.
  [[nodiscard]] bool begin_search() noexcept {
    const int searching = searching_of(counts_.load(std::memory_order_relaxed));
    if (searching >= searchers_max_) return false;
    counts_.fetch_add(one_searching, std::memory_order_seq_cst);
    return true;
  }
  // True: it was the last one that searched.
  bool end_search() noexcept {
    return searching_of(counts_.fetch_sub(one_searching, std::memory_order_seq_cst)) == 1;
  }

  void publish(unsigned loop) noexcept {
    words_[loop / 64].fetch_or(bit_of(loop), std::memory_order_release);
    counts_.fetch_add(one_published, std::memory_order_seq_cst);
  }
  // The loop leaves the set by itself. False: a submitter took it out, and it counts as searching.
  [[nodiscard]] bool retract(unsigned loop) noexcept {
    const auto bit = bit_of(loop);
    if ((words_[loop / 64].fetch_and(~bit, std::memory_order_acq_rel) & bit) == 0) return false;
    counts_.fetch_sub(one_published, std::memory_order_seq_cst);
    return true;
  }

 private:
  // How many search, in the lower half, and how many are published. A loop that is being claimed
  // may end its search before the claim is counted: then it is -1 for a moment.
  static constexpr std::uint32_t one_searching = 1;
  static constexpr std::uint32_t one_published = 1U << 16U;
  [[nodiscard]] static int searching_of(std::uint32_t counts) noexcept {
    return static_cast<std::int16_t>(counts);
  }

  [[nodiscard]] unsigned word_count() const noexcept { return (loops_ + 63) / 64; }
  [[nodiscard]] static std::uint64_t bit_of(unsigned loop) noexcept {
    return std::uint64_t{1} << (loop % 64);
  }

  unsigned loops_;
  int searchers_max_;
  alignas(64) Atomic<std::uint32_t> counts_{0};
  std::unique_ptr<Atomic<std::uint64_t>[]> words_;
};

}  // namespace coil::detail

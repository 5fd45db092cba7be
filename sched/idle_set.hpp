// Which loops have nothing to do, and who wakes whom: no lost wake-up, no herd.
//
//   submitter                              parker (a loop that found nothing)
//   1. pushes into some queue              a. end_search(), if it was searching
//   2. claim_idle(): somebody searches     b. publishes itself idle
//      already -> done; else takes one     c. looks in every queue once more; found -> leaves
//      idle loop out of the set               the set again
//   3. wakes that loop                     d. blocks until woken
//
// 1, 2, b and c are seq_cst. In their one order either 1 precedes c, and the parker finds the
// item, or b precedes 2, and the submitter sees it idle. "Somebody searches already" is enough,
// because that one does a and c later, after 2.
// A loop taken out of the set by a submitter counts as searching from that moment on. A searcher
// that finds something and was the last one wakes the next: work spreads one loop at a time.
// At most half of the loops search at once.
// Kept by tests/model/idle_set_model.cpp, "no item stays while all loops sleep".
#pragma once

#include <bit>
#include <coil/detail/atomic.hpp>
#include <cstdint>
#include <memory>

namespace coil::detail {

class IdleSet {
 public:
  explicit IdleSet(unsigned loops)
      : loops_(loops), words_(std::make_unique<Atomic<std::uint64_t>[]>(word_count())) {}

  // Any thread, after a push. Gives the loop to wake, or -1. Starts to look at `near`.
  [[nodiscard]] int claim_idle(unsigned near) noexcept {
    if (searching_.load(std::memory_order_seq_cst) != 0) return -1;
    return claim_any(near);
  }
  // The same although somebody searches: for one who found work and sees more.
  [[nodiscard]] int claim_any(unsigned near) noexcept {
    const unsigned first = near / 64;
    for (unsigned i = 0; i < word_count(); ++i) {
      const unsigned index = (first + i) % word_count();
      auto word = words_[index].load(std::memory_order_seq_cst);
      while (word != 0) {
        const auto bit = std::uint64_t{1} << std::countr_zero(word);
        word = words_[index].fetch_and(~bit, std::memory_order_seq_cst);
        if ((word & bit) != 0) {
          searching_.fetch_add(1, std::memory_order_seq_cst);
          return static_cast<int>(index * 64 + static_cast<unsigned>(std::countr_zero(bit)));
        }
      }
    }
    return -1;
  }

  // A loop that has run out of work. False: enough are searching.
  [[nodiscard]] bool begin_search() noexcept {
    if (2 * searching_.load(std::memory_order_relaxed) >= static_cast<int>(loops_)) return false;
    searching_.fetch_add(1, std::memory_order_seq_cst);
    return true;
  }
  // True: it was the last one that searched.
  bool end_search() noexcept { return searching_.fetch_sub(1, std::memory_order_seq_cst) == 1; }

  void publish(unsigned loop) noexcept {
    words_[loop / 64].fetch_or(bit_of(loop), std::memory_order_seq_cst);
  }
  // The loop leaves the set by itself. False: a submitter took it out, and it counts as searching.
  [[nodiscard]] bool retract(unsigned loop) noexcept {
    return (words_[loop / 64].fetch_and(~bit_of(loop), std::memory_order_seq_cst) & bit_of(loop)) !=
           0;
  }

 private:
  [[nodiscard]] unsigned word_count() const noexcept { return (loops_ + 63) / 64; }
  [[nodiscard]] static std::uint64_t bit_of(unsigned loop) noexcept {
    return std::uint64_t{1} << (loop % 64);
  }

  unsigned loops_;
  alignas(64) Atomic<int> searching_{0};
  std::unique_ptr<Atomic<std::uint64_t>[]> words_;
};

}  // namespace coil::detail

// What the reading members of StreamReader return: one wish, to be awaited once.
//
// Invariant: the outcome is written once, under the connection's lock, by whoever finds the wish
// decidable: the reading task itself, or the loop on which the data arrived. Until then nothing
// has been taken out of the stream, so a cancelled read loses no byte.
#pragma once

#include <coil/detail/connection.hpp>
#include <coil/detail/connection_loan.hpp>
#include <coil/detail/promise_base.hpp>
#include <coil/detail/suspension.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coil::detail {

class [[nodiscard("nothing is read until this is awaited")]] ReadOperation : public NativeAwaiter,
                                                                             public Suspension {
 public:
  enum class Wish : std::uint8_t { Some, Exactly, UntilEnd, Until, Line };

  ReadOperation(Connection& connection, bool owns, Wish wish, std::size_t n) noexcept
      : Suspension(leaf_kind), connection_(connection, owns), wish_(wish), number_(n) {}
  // Throws std::invalid_argument for an empty separator.
  ReadOperation(Connection& connection, bool owns, std::string_view separator);
  ReadOperation(ReadOperation&& other) noexcept;  // only before it is awaited
  ~ReadOperation() = default;

  [[nodiscard]] bool await_ready() { return connection_->try_read(*this); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) {
    return self.promise().task->suspend(self, *this,
                                        [this] { return connection_->wait_for_data(*this); });
  }
  std::string await_resume() {
    if (aborted != Abort::None) [[unlikely]]
      Suspension::task->throw_cancelled(aborted);
    if (outcome_ != Outcome::Value) [[unlikely]]
      fail();
    return std::move(text_);
  }

  // Under the connection's lock. False: more has to come.
  [[nodiscard]] bool decide(ReceiveBuffer& received, bool eof, int error, std::size_t limit);
  // Under it too: the read ends with this error, an errno.
  void fail_with(int error) noexcept {
    error_ = error;
    outcome_ = Outcome::Failed;
  }

 private:
  enum class Outcome : std::uint8_t { Undecided, Value, Incomplete, Overrun, Failed };

  bool decide_count(ReceiveBuffer& received, bool eof, int error);
  bool decide_separator(ReceiveBuffer& received, bool eof, int error, std::size_t limit);
  bool overrun(ReceiveBuffer& received, std::size_t consumed, bool found);
  bool settle(Outcome outcome) noexcept {
    outcome_ = outcome;
    return true;
  }
  [[noreturn]] void fail();
  static HookResult stop(Suspension& leaf, Abort kind) noexcept;
  static const LeafKind leaf_kind;

  ConnectionLoan connection_;
  Wish wish_;
  Outcome outcome_ = Outcome::Undecided;
  bool separator_found_ = false;
  int error_ = 0;
  // How many bytes are wanted; of a separator: where it cannot begin before, and of an overrun
  // how many bytes are in the way.
  std::size_t number_;
  std::string text_;  // the separator; once decided, the result
};

}  // namespace coil::detail

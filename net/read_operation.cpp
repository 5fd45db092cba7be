#include <algorithm>
#include <coil/detail/net_error.hpp>
#include <coil/detail/read_operation.hpp>
#include <coil/stream_errors.hpp>
#include <stdexcept>
#include <utility>

namespace coil {

IncompleteReadError::IncompleteReadError(std::string partial, std::size_t expected)
    : std::runtime_error(std::to_string(partial.size()) + " bytes read on a total of " +
                         (expected == 0 ? "undefined" : std::to_string(expected)) +
                         " expected bytes"),
      partial_(std::move(partial)),
      expected_(expected) {}

namespace detail {

constinit const LeafKind ReadOperation::leaf_kind{"read", &ReadOperation::stop};

ReadOperation::ReadOperation(Connection& connection, bool owns, std::string_view separator)
    : ReadOperation(connection, owns, Wish::Until, 0) {
  if (separator.empty())
    throw std::invalid_argument("readuntil: the separator should be at least one byte");
  text_ = separator;
}

ReadOperation::ReadOperation(ReadOperation&& other) noexcept
    : Suspension(leaf_kind),
      connection_(std::move(other.connection_)),
      wish_(other.wish_),
      number_(other.number_),
      text_(std::move(other.text_)) {}

// The lines below follow asyncio's StreamReader, except that what has arrived before the
// connection was lost is still handed out.
bool ReadOperation::decide(ReceiveBuffer& received, bool eof, int error, std::size_t limit) {
  if (wish_ == Wish::Until || wish_ == Wish::Line)
    return decide_separator(received, eof, error, limit);
  return decide_count(received, eof, error);
}

bool ReadOperation::decide_count(ReceiveBuffer& received, bool eof, int error) {
  const std::size_t there = received.size();
  const std::size_t enough = wish_ == Wish::Exactly ? number_ : std::min<std::size_t>(number_, 1);
  if (wish_ != Wish::UntilEnd && there >= enough) {
    text_ = received.take(std::min(there, number_));
    return settle(Outcome::Value);
  }
  if (error != 0) {
    error_ = error;
    return settle(Outcome::Failed);
  }
  if (!eof) return false;
  text_ = received.take_all();
  return settle(wish_ == Wish::Exactly ? Outcome::Incomplete : Outcome::Value);
}

bool ReadOperation::decide_separator(ReceiveBuffer& received, bool eof, int error,
                                     std::size_t limit) {
  const std::string_view separator = wish_ == Wish::Line ? "\n" : std::string_view(text_);
  const std::string_view text = received.view();
  const std::size_t at = text.find(separator, number_);
  if (at != std::string_view::npos) {
    if (at > limit) return overrun(received, at, true);
    text_ = received.take(at + separator.size());
    return settle(Outcome::Value);
  }
  if (text.size() >= separator.size()) number_ = text.size() + 1 - separator.size();
  if (number_ > limit) return overrun(received, number_, false);
  if (error != 0) {
    error_ = error;
    return settle(Outcome::Failed);
  }
  if (!eof) return false;
  text_ = received.take_all();
  return settle(wish_ == Wish::Line ? Outcome::Value : Outcome::Incomplete);
}

// readuntil leaves the bytes where they are; readline drops them, so that the next line can come.
bool ReadOperation::overrun(ReceiveBuffer& received, std::size_t consumed, bool found) {
  number_ = consumed;
  separator_found_ = found;
  if (wish_ == Wish::Line) {
    if (found) {
      received.drop(consumed + 1);
    } else {
      received.clear();
    }
  }
  return settle(Outcome::Overrun);
}

HookResult ReadOperation::stop(Suspension& leaf, Abort kind) noexcept {
  auto& self = static_cast<ReadOperation&>(leaf);
  HookResult result;
  result.taken = self.connection_->stop_waiting(self);
  if (!result.taken) return result;  // decided: the wake-up is on its way
  self.aborted = kind;
  self.Suspension::task->wake();
  return result;
}

void ReadOperation::fail() {
  switch (outcome_) {
    case Outcome::Incomplete:
      throw IncompleteReadError(std::move(text_), wish_ == Wish::Exactly ? number_ : 0);
    case Outcome::Overrun:
      throw LimitOverrunError(separator_found_
                                  ? "Separator is found, but chunk is longer than limit"
                                  : "Separator is not found, and chunk exceed the limit",
                              number_);
    case Outcome::Undecided:
      Connection::fail_second_read();
    default:
      throw_net_error(error_, "read from " + connection_->peer_text());
  }
}

}  // namespace detail
}  // namespace coil

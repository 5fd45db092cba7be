#include "server.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "digest.hpp"
#include "protocol.hpp"

namespace demo {
namespace {

// A file is kept in pieces of this size, and its task lets others run after each: some 60 µs.
constexpr std::size_t piece_size = std::size_t{64} << 10U;
constexpr std::size_t backlog_files_max = 1024;
constexpr std::size_t backlog_bytes_max = std::size_t{32} << 20U;

using Pieces = std::vector<std::string>;

// For testing the demo itself: every 1000th answer is wrong if DIGEST_DEMO_CORRUPT is set.
bool to_be_corrupted() {
  static const bool corrupt = std::getenv("DIGEST_DEMO_CORRUPT") != nullptr;
  static std::atomic<unsigned> answers{0};
  return corrupt && answers.fetch_add(1, std::memory_order_relaxed) % 1000 == 999;
}

// The files of one connection that wait for their answers, oldest first.
class Backlog {
 public:
  void add(coil::Task<> answer, std::size_t size) {
    bytes_ += size;
    answers_.push_back({.task = std::move(answer), .size = size});
  }
  // Waits until `size` more fit; one file always does.
  coil::Coro<> make_room(std::size_t size) {
    while (!answers_.empty() && (answers_.front().task.done() || !fits(size))) {
      co_await answers_.front().task;
      bytes_ -= answers_.front().size;
      answers_.pop_front();
    }
  }

 private:
  struct Pending {
    coil::Task<> task;
    std::size_t size = 0;
  };
  [[nodiscard]] bool fits(std::size_t size) const {
    return answers_.size() < backlog_files_max && bytes_ + size <= backlog_bytes_max;
  }

  std::deque<Pending> answers_;
  std::size_t bytes_ = 0;
};

// The task of one file. Many of a connection's may write at the same time: a write is never torn.
coil::Coro<> answer_file(coil::StreamWriter writer, std::uint64_t id, Pieces pieces) {
  Digester digester;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i != 0) co_await coil::checkpoint();
    digester.update(std::exchange(pieces[i], {}));
  }
  Answer answer{.id = id, .digest = digester.finish()};
  if (to_be_corrupted()) answer.digest.sha256.front() ^= 1U;
  const auto bytes = encode(answer);
  writer.write(std::string_view(bytes.data(), bytes.size()));
  co_await writer.drain();
}

// Empty once the client has closed its side between two requests.
coil::Coro<std::optional<RequestHead>> read_head(coil::StreamReader& reader) {
  try {
    co_return decode_request_head(co_await reader.readexactly(request_head_size));
  } catch (const coil::IncompleteReadError& error) {
    if (!error.partial().empty()) throw;
    co_return std::nullopt;
  }
}

coil::Coro<> read_files(coil::TaskGroup& group, coil::StreamReader& reader,
                        coil::StreamWriter& writer) {
  Backlog backlog;
  while (const auto head = co_await read_head(reader)) {
    co_await backlog.make_room(head->file_size);
    Pieces pieces;
    for (std::size_t rest = head->file_size; rest != 0; rest -= pieces.back().size())
      pieces.push_back(co_await reader.readexactly(std::min(rest, piece_size)));
    backlog.add(group.create_task(answer_file(writer, head->id, std::move(pieces))),
                head->file_size);
  }
}

}  // namespace

coil::Coro<> serve_files(coil::StreamReader reader, coil::StreamWriter writer) {
  co_await coil::with_task_group(
      [&](coil::TaskGroup& group) { return read_files(group, reader, writer); });
  writer.close();
  co_await writer.wait_closed();
}

}  // namespace demo

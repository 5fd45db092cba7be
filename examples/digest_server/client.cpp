#include "client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "protocol.hpp"

namespace demo {
namespace {

// What is handed to the writer before it may push back.
constexpr std::size_t write_size = std::size_t{64} << 10U;

}  // namespace

coil::Coro<> Client::run(std::string host, std::uint16_t port) {
  try {
    auto [reader, writer] = co_await coil::open_connection(host, port);
    co_await exchange(reader, writer);
    writer.close();
    co_await writer.wait_closed();
  } catch (const std::exception& error) {
    problems_.error(fmt::format("client: {}", error.what()));
  }
  ended_.store(true, order);
}

// The answers are small: they fit into the socket's buffers while we send, so that neither side
// ever waits for the other.
coil::Coro<> Client::exchange(coil::StreamReader& reader, coil::StreamWriter& writer) {
  for (;;) {
    while (may_send()) co_await send_next(writer);
    if (in_flight_.empty()) co_return;
    co_await receive_one(reader);
    if (plan_.pause.count() > 0) co_await coil::sleep(plan_.pause);
  }
}

bool Client::may_send() const {
  if (coil::Clock::now() >= plan_.until) return false;
  if (in_flight_.empty()) return true;
  return in_flight_.size() < plan_.files_in_flight_max &&
         bytes_in_flight_ + corpus_.files[plan_.files[next_]].size() <= plan_.bytes_in_flight_max;
}

coil::Coro<> Client::send_next(coil::StreamWriter& writer) {
  const std::size_t index = plan_.files[next_];
  next_ = (next_ + 1) % plan_.files.size();
  const File& file = corpus_.files[index];
  in_flight_.push_back({.file = index, .sent = coil::Clock::now()});
  bytes_in_flight_ += file.size();

  for (std::string_view rest = file.request; !rest.empty();) {
    writer.write(rest.substr(0, write_size));
    rest.remove_prefix(std::min(write_size, rest.size()));
    co_await writer.drain();
  }
}

coil::Coro<> Client::receive_one(coil::StreamReader& reader) {
  const Answer answer = decode_answer(co_await reader.readexactly(answer_size));
  const InFlight request = take_request(answer.id);
  const File& file = corpus_.files[request.file];
  bytes_in_flight_ -= file.size();
  latencies_.add(coil::Clock::now() - request.sent);
  files_.store(files_.load(order) + 1, order);
  bytes_.store(bytes_.load(order) + file.size(), order);
  if (answer.digest != file.expected)
    problems_.wrong_answer(fmt::format("{}\n    expected {}\n    got      {}", file.path,
                                       to_string(file.expected), to_string(answer.digest)));
}

// Usually one of the oldest.
Client::InFlight Client::take_request(std::uint64_t id) {
  const auto found = std::ranges::find(in_flight_, id, &InFlight::file);
  if (found == in_flight_.end())
    throw ProtocolError(fmt::format("an answer came for {}, which was not asked for", id));
  const InFlight request = *found;
  in_flight_.erase(found);
  return request;
}

}  // namespace demo

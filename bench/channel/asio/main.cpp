// A bounded channel between two coroutines of Asio; with several threads, one that may be used from
// all of them.
#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/experimental/concurrent_channel.hpp>
#include <thread>
#include <vector>

#include "../../kit/program.hpp"

namespace {

using Executor = asio::io_context::executor_type;
template <class T = void>
using Coroutine = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable;

using Signature = void(asio::error_code, long);
using Single = asio::experimental::channel<Executor, Signature>;
using Concurrent = asio::experimental::concurrent_channel<Executor, Signature>;

template <class Channel>
Coroutine<> produce(Channel& channel, long items) {
  for (long i = 0; i < items; ++i)
    co_await channel.async_send(asio::error_code(), i, use_awaitable);
}
template <class Channel>
Coroutine<> consume(Channel& channel, long items, long& sum) {
  for (long i = 0; i < items; ++i) sum += co_await channel.async_receive(use_awaitable);
}

// Each time the context runs out of work, all threads are done.
template <class Channel>
long exchange(int threads, std::size_t places, long items) {
  asio::io_context context(threads);
  Channel channel(context.get_executor(), places);
  long sum = 0;
  asio::co_spawn(context, consume(channel, items, sum), asio::detached);
  asio::co_spawn(context, produce(channel, items), asio::detached);
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back([&] { context.run(); });
  context.run();
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("channel", "asio", argc, argv, 10'000'000, {"128", "1"});
  const std::size_t places = program.which() == "1" ? 1 : 128;
  const auto work = program.threads() == 1 ? exchange<Single> : exchange<Concurrent>;
  work(program.threads(), places, program.size() / 10);
  program.start();
  const long sum = work(program.threads(), places, program.size());
  program.stop();
  return program.finish(program.size(), sum == program.size() * (program.size() - 1) / 2);
}

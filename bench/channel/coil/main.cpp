// A bounded queue between two tasks of Coil, which may run on any loop.
#include <coil/queue.hpp>
#include <coil/run.hpp>
#include <coil/task.hpp>

#include "../../kit/program.hpp"

namespace {

coil::Coro<> produce(coil::Queue<long>& queue, long items) {
  for (long i = 0; i < items; ++i) co_await queue.put(i);
}
coil::Coro<long> consume(coil::Queue<long>& queue, long items) {
  long sum = 0;
  for (long i = 0; i < items; ++i) sum += co_await queue.get();
  co_return sum;
}

coil::Coro<long> exchange(std::size_t places, long items) {
  coil::Queue<long> queue(places);
  const auto consumer = coil::create_task(consume(queue, items));
  const auto producer = coil::create_task(produce(queue, items));
  co_await producer;
  co_return co_await consumer;
}

coil::Coro<long> measured(bench::Program& program) {
  const std::size_t places = program.which() == "1" ? 1 : 128;
  co_await exchange(places, program.size() / 10);
  program.start();
  const long sum = co_await exchange(places, program.size());
  program.stop();
  co_return sum;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("channel", "coil", argc, argv, 10'000'000, {"128", "1"});
  const long sum = coil::run(measured(program), {.loops = program.threads()});
  return program.finish(program.size(), sum == program.size() * (program.size() - 1) / 2);
}

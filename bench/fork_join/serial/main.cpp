// One or two calls of a function that does next to nothing and is not inlined.
#include "../../kit/program.hpp"

namespace {

[[gnu::noinline]] std::int64_t child(std::int64_t x) {
  asm volatile("" : "+r"(x));
  return x + 1;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Program program("fork_join", "serial", argc, argv, 10'000'000, {"one", "two"});
  const bool two = program.which() == "two";
  std::int64_t value = 0;
  program.start();
  for (long i = 0; i < program.size(); ++i)
    value = two ? child(value) + child(i) - i - 1 : child(value);
  program.stop();
  return program.finish(program.size(), value == program.size());
}

// Generators that several tests use.
#pragma once

#include <atomic>
#include <coil/async_generator.hpp>
#include <exception>
#include <kit/loops.hpp>
#include <memory>
#include <string>

namespace kit {

using coil::AsyncGenerator;
using coil::GeneratorExit;

inline AsyncGenerator<int> count_to(int n) {
  for (int i = 1; i <= n; ++i) {
    if (i % 2 == 0) co_await kit::yield();
    co_yield i;
  }
}

// What happens to it is written down here.
struct Log {
  std::atomic<bool> exit{false};     // GeneratorExit was thrown at the co_yield
  std::atomic<bool> cleaned{false};  // and what it awaited then has been awaited
  std::atomic<bool> unwound{false};  // its locals are gone
};

// Counts for ever; when it is closed it awaits something before it ends.
inline AsyncGenerator<int> count_for_ever(std::shared_ptr<Log> log) {
  struct Unwind {
    Log& log;
    ~Unwind() { log.unwound = true; }
  };
  const Unwind unwind{*log};
  bool exit = false;
  try {
    for (int i = 1;; ++i) co_yield i;
  } catch (const GeneratorExit&) {
    exit = true;
  }
  log->exit = exit;
  co_await kit::yield(3);
  log->cleaned = true;
}

template <class Fn>
std::string thrown_text(Fn fn) {
  try {
    fn();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace kit

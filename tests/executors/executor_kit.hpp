// What the tests of executors share.
#pragma once

#include <pthread.h>

#include <coil/coil.hpp>
#include <kit/loops.hpp>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace kit {

struct OwnError : std::runtime_error {
  OwnError(const std::string& text, int n) : std::runtime_error(text), number(n) {}
  int number;
};

inline std::string thread_name() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

// Calls that hold all threads of an executor until they are let go.
class Holding {
 public:
  template <class E>
  Holding(E& executor, int threads) : inside_(std::make_shared<std::latch>(threads)) {
    for (int i = 0; i < threads; ++i) {
      ended_.push_back(executor.submit([inside = inside_, go = go_] {
        inside->count_down();
        go->wait();
      }));
    }
  }
  ~Holding() { let_go(); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

  // Until all of them run: on a loop, and on a thread that is none.
  [[nodiscard]] coil::Coro<> held() const {
    co_await until([this] { return inside_->try_wait(); });
  }
  void wait_until_held() const { inside_->wait(); }
  void let_go() {
    if (!go_->try_wait()) go_->count_down();
  }

 private:
  std::shared_ptr<std::latch> inside_;
  std::shared_ptr<std::latch> go_ = std::make_shared<std::latch>(1);
  std::vector<coil::Future<>> ended_;
};

}  // namespace kit

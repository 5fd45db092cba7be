// Everything a file of models includes. README.md says how to write one.
#pragma once

#include <string>
#include <vector>

#include "model/atomic.hpp"
#include "model/explorer.hpp"
#include "model/mutate.hpp"
#include "model/mutex.hpp"
#include "model/plain.hpp"

namespace model {

// One line of the runner's list.
struct Entry {
  enum class Kind { Model, Counterexample, Mutation, Test };
  Kind kind;
  const char* suite;
  const char* text;
  void (*body)(Run&) = nullptr;  // a mutation has its model's
  Options options = {};
  std::vector<Change> changes = {};
  std::string expected = {};  // Counterexample: part of the message

  std::string title() const;
};

std::vector<Entry>& entries();
struct Registered {
  explicit Registered(Entry entry) { entries().push_back(std::move(entry)); }
};

}  // namespace model

#define COIL_MODEL_JOIN2(a, b) a##b
#define COIL_MODEL_JOIN(a, b) COIL_MODEL_JOIN2(a, b)
#define COIL_MODEL_BODY(id, ...)                                                   \
  static void COIL_MODEL_JOIN(model_body_, id)(::model::Run & run);                \
  static const ::model::Registered COIL_MODEL_JOIN(model_entry_, id){__VA_ARGS__}; \
  static void COIL_MODEL_JOIN(model_body_, id)([[maybe_unused]] ::model::Run & run)

// MODEL(Deque, "the last task is taken once", .preemptions = 3) { ...; run.join(); ... }
// No execution may fail.
#define MODEL(suite, text, ...) COIL_MODEL_MODEL(__COUNTER__, suite, text, __VA_ARGS__)
#define COIL_MODEL_MODEL(id, suite, text, ...)                          \
  COIL_MODEL_BODY(id, ::model::Entry{::model::Entry::Kind::Model,       \
                                     #suite,                            \
                                     text,                              \
                                     &COIL_MODEL_JOIN(model_body_, id), \
                                     ::model::Options{__VA_ARGS__},     \
                                     {},                                \
                                     {}})

// COUNTEREXAMPLE(Litmus, "relaxed publication fails", "data race") { ... }
// Some execution must fail, with a message that contains the third argument.
#define COUNTEREXAMPLE(suite, text, message, ...) \
  COIL_MODEL_COUNTEREXAMPLE(__COUNTER__, suite, text, message, __VA_ARGS__)
#define COIL_MODEL_COUNTEREXAMPLE(id, suite, text, message, ...)           \
  COIL_MODEL_BODY(id, ::model::Entry{::model::Entry::Kind::Counterexample, \
                                     #suite,                               \
                                     text,                                 \
                                     &COIL_MODEL_JOIN(model_body_, id),    \
                                     ::model::Options{__VA_ARGS__},        \
                                     {},                                   \
                                     message})

// MUTATION(Deque, "the last task is taken once", hook("deque.pop.order"));
// MUTATION(Deque, "...", weaken("bottom_", Op::Store, Order::release, "pop"));
// The model of this name must fail with these changes.
#define MUTATION(suite, text, ...) COIL_MODEL_MUTATION(__COUNTER__, suite, text, __VA_ARGS__)
#define COIL_MODEL_MUTATION(id, suite, text, ...)                                        \
  static const ::model::Registered COIL_MODEL_JOIN(model_entry_, id) {                   \
    [] {                                                                                 \
      using namespace ::model; /* hook, weaken, Op, Order */                             \
      return Entry{Entry::Kind::Mutation, #suite, text, nullptr, {}, {__VA_ARGS__}, {}}; \
    }()                                                                                  \
  }

// SELF_TEST(Explorer, "...") { ... }: runs once, outside any execution, and calls explore().
#define SELF_TEST(suite, text) COIL_MODEL_TEST(__COUNTER__, suite, text)
#define COIL_MODEL_TEST(id, suite, text)                                \
  COIL_MODEL_BODY(id, ::model::Entry{::model::Entry::Kind::Test,        \
                                     #suite,                            \
                                     text,                              \
                                     &COIL_MODEL_JOIN(model_body_, id), \
                                     {},                                \
                                     {},                                \
                                     {}})

// coil_conformance TOPIC [--loops N] [--rounds N] [--tick-us N] [SCENARIO...]: the C++ side.
//
// Prints a line "=== name" before each scenario and "=== end" after it, flushed as they come, so
// that whoever reads them knows where a crash or hang was.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <typeinfo>

#include "scenario.hpp"

namespace conformance {
namespace {

struct Entry {
  std::string name;
  Body body = nullptr;
  Program program = nullptr;
};

struct Settings {
  int loops = 1;
  int rounds = 1;
  long tick_us = 10'000;
  std::vector<std::string> names;
};

std::map<std::string, std::vector<Entry>>& topics() {
  static std::map<std::string, std::vector<Entry>> all;
  return all;
}

std::string topic_of(std::string_view file) { return std::string(file.substr(0, file.find('.'))); }

Settings settings;
coil::TimePoint began;
std::mutex log_mutex;

// "ExceptionGroup[ValueError: a, ...]", as scenario.py prints it.
std::string shown_group(const coil::ExceptionGroup& group) {
  std::string text;
  for (const auto& error : group.exceptions()) text += (text.empty() ? "" : ", ") + shown(error);
  return "ExceptionGroup[" + text + "]";
}

template <class E>
std::string with_text(const char* name, const E& error) {
  return *error.what() == '\0' ? name : std::string(name) + ": " + error.what();
}

// The type's own name, without its namespace: for Coil's exceptions, named as Python's.
std::string own_name(const std::exception& error) {
  std::string name = typeid(error).name();  // N4coil12TimeoutErrorE
  const auto start = name.find_last_of("0123456789");
  return name.substr(start + 1, name.size() - start - 2);
}

struct Described {
  std::string kind;
  std::string text;
};

Described described(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const coil::ExceptionGroup& e) {
    return {"ExceptionGroup", shown_group(e)};
  } catch (const coil::CancelledError& e) {
    return {"CancelledError", with_text("CancelledError", e)};
  } catch (const coil::KeyboardInterrupt&) {
    return {"KeyboardInterrupt", "KeyboardInterrupt"};
  } catch (const coil::GeneratorExit&) {
    return {"GeneratorExit", "GeneratorExit"};
  } catch (const std::exception& e) {
    if (typeid(e) == typeid(ValueError)) return {"ValueError", with_text("ValueError", e)};
    if (typeid(e) == typeid(RuntimeError)) return {"RuntimeError", with_text("RuntimeError", e)};
    if (typeid(e) == typeid(LookupError)) return {"LookupError", with_text("LookupError", e)};
    return {own_name(e), own_name(e)};
  } catch (...) {
    return {"unknown", "unknown"};
  }
}

}  // namespace

std::string kind(const std::exception_ptr& error) { return error ? described(error).kind : "None"; }

std::string shown(const std::exception_ptr& error) {
  return error ? described(error).text : "None";
}

void log_line(std::string line) {
  line += '\n';
  const std::lock_guard lock(log_mutex);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

coil::Duration ticks(double count) {
  return std::chrono::microseconds(
      static_cast<long>(count * static_cast<double>(settings.tick_us)));
}

Ticks passed() {
  const auto time = coil::get_running_loop().time() - began;
  return {static_cast<int>((time + ticks(0.5)) / ticks(1))};
}

coil::RunOptions run_options() { return {.loops = settings.loops, .pin = false}; }

Registered::Registered(const char* file, const char* name, Body body) {
  topics()[topic_of(file)].push_back({.name = name, .body = body});
}
Registered::Registered(const char* file, const char* name, Program program) {
  topics()[topic_of(file)].push_back({.name = name, .program = program});
}

namespace {

coil::Coro<> begin(Body body) {
  began = coil::get_running_loop().time();
  co_await body();
}

void play(const Entry& entry) {
  log_line("=== " + entry.name);
  try {
    if (entry.program != nullptr) {
      entry.program();
    } else {
      coil::run(begin(entry.body), run_options());
    }
  } catch (...) {
    log("the scenario raised", std::current_exception());
  }
  log_line("=== end");
}

bool wanted(const Entry& entry) {
  for (const auto& name : settings.names)
    if (name == entry.name) return true;
  return settings.names.empty();
}

int play_topic(const std::string& topic) {
  const auto found = topics().find(topic);
  if (found == topics().end()) {
    std::fprintf(stderr, "there is no topic '%s'; there are:\n", topic.c_str());
    for (const auto& known : topics()) std::fprintf(stderr, "  %s\n", known.first.c_str());
    return 2;
  }
  for (int round = 0; round < settings.rounds; ++round) {
    // Under COIL_BACKEND=sim each round is another interleaving.
    ::setenv("COIL_SIM_SEED", std::to_string(round + 1).c_str(), 1);
    for (const Entry& entry : found->second)
      if (wanted(entry)) play(entry);
  }
  return 0;
}

int usage() {
  std::fputs("usage: coil_conformance TOPIC [--loops N] [--rounds N] [--tick-us N] [SCENARIO...]\n",
             stderr);
  return 2;
}

int main_of(int argc, char** argv) {
  if (argc < 2) return usage();
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      settings.names.emplace_back(argument);
      continue;
    }
    const long value = i + 1 < argc ? std::atol(argv[++i]) : 0;
    if (value <= 0) return usage();
    if (argument == "--loops") {
      settings.loops = static_cast<int>(value);
    } else if (argument == "--rounds") {
      settings.rounds = static_cast<int>(value);
    } else if (argument == "--tick-us") {
      settings.tick_us = value;
    } else {
      return usage();
    }
  }
  return play_topic(argv[1]);
}

}  // namespace
}  // namespace conformance

int main(int argc, char** argv) { return conformance::main_of(argc, argv); }

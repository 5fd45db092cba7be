// The command line of every bench program: "--name value" pairs, nothing else.
//
// Invariant: a program sees only values it declared, in the range it declared; anything else ends
// the program with a usage line and exit code 2, so a mistyped option never measures something.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Option {
  std::string_view name;
  std::string_view value;  // the default; empty means that the option must be given
  std::string_view help;
};

class CommandLine {
 public:
  CommandLine(int argc, char** argv, std::initializer_list<Option> options)
      : program_(argv[0]), options_(options) {
    for (int i = 1; i < argc; i += 2) {
      std::string_view key = argv[i];
      if (key == "--help") usage(0);
      if (!key.starts_with("--")) fail("unexpected argument " + std::string(key));
      Option* option = find(key.substr(2));
      if (option == nullptr) fail("unknown option " + std::string(key));
      if (i + 1 == argc) fail("option " + std::string(key) + " needs a value");
      option->value = argv[i + 1];
    }
  }

  std::string text(std::string_view name) {
    const Option* option = find(name);
    if (option == nullptr || option->value.empty()) fail("--" + std::string(name) + " is needed");
    return std::string(option->value);
  }

  template <typename Number>
  Number number(std::string_view name, Number first, Number last) {
    std::string value = text(name);
    Number result{};
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (error != std::errc() || end != value.data() + value.size() ||
        !(result >= first && result <= last)) {
      fail("--" + std::string(name) + " takes a number from " + std::to_string(first) + " to " +
           std::to_string(last) + ", not \"" + value + "\"");
    }
    return result;
  }

 private:
  Option* find(std::string_view name) {
    for (Option& option : options_) {
      if (option.name == name) return &option;
    }
    return nullptr;
  }

  [[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "%s: %s\n", program_, why.c_str());
    usage(2);
  }

  [[noreturn]] void usage(int code) {
    std::FILE* out = code == 0 ? stdout : stderr;
    std::fprintf(out, "usage: %s [--option value]...\n", program_);
    for (const Option& option : options_) {
      std::fprintf(out, "  --%-12.*s %.*s\n", int(option.name.size()), option.name.data(),
                   int(option.help.size()), option.help.data());
    }
    std::exit(code);
  }

  const char* program_;
  std::vector<Option> options_;
};

}  // namespace bench

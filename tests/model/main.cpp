// coil_models: runs every model, then every mutation, a line for each.
//
//   coil_models [--list] [--trace] [--survey] [--preemptions N] [--replay SCHEDULE] [FILTER...]
//
// Exit code 0: all models hold and all mutations are caught.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

#include "model/report.hpp"

namespace {

constexpr const char* usage =
    "usage: coil_models [OPTION...] [FILTER...]\n"
    "Runs the models whose \"Suite: sentence\" contains a FILTER, and their mutations.\n"
    "  --list              names them\n"
    "  --trace             prints the failing execution of what is meant to fail, too\n"
    "  --preemptions N     instead of each model's own bound\n"
    "  --replay SCHEDULE   runs one execution of one model and prints its trace\n"
    "  --survey            tries every weaker memory order, and names those no model minds\n";

int refuse(const std::string& why) {
  std::fprintf(stderr, "coil_models: %s\n%s", why.c_str(), usage);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  model::Request request;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (argument == "--help") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (argument == "--list") {
      request.list = true;
    } else if (argument == "--trace") {
      request.trace = true;
    } else if (argument == "--survey") {
      request.survey = true;
    } else if (argument == "--replay") {
      if (value == nullptr) return refuse("--replay needs a schedule");
      request.replay = argv[++i];
    } else if (argument == "--preemptions") {
      unsigned count = 0;
      const char* end = value != nullptr ? value + std::strlen(value) : nullptr;
      if (value == nullptr || std::from_chars(value, end, count).ptr != end || value == end) {
        return refuse("--preemptions needs a number");
      }
      request.preemptions = count;
      ++i;
    } else if (argument.starts_with("-")) {
      return refuse("unknown option " + std::string(argument));
    } else {
      request.filters.emplace_back(argument);
    }
  }
  try {
    return model::run(request);
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
}

// One line for each model and mutation; the whole story of each that is not as it should be.
#include "model/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "model/model.hpp"

namespace model {

std::vector<Entry>& entries() {
  static std::vector<Entry> all;
  return all;
}

std::string Entry::title() const {
  std::string title = std::string(suite) + ": " + text;
  if (kind != Kind::Mutation) return title;
  title += " [";
  for (const Change& change : changes) {
    if (&change != &changes.front()) title += ", ";
    title += change.text();
  }
  return title + "]";
}

namespace {

struct Verdict {
  const char* word;
  bool good;
  std::string why;  // where it is not good
  Result result;
};

const Entry& model_of(const Entry& mutation) {
  for (const Entry& entry : entries()) {
    if (entry.kind == Entry::Kind::Model && std::strcmp(entry.suite, mutation.suite) == 0 &&
        std::strcmp(entry.text, mutation.text) == 0) {
      return entry;
    }
  }
  throw std::invalid_argument("a mutation of a model that does not exist: " + mutation.title());
}

Options options_of(const Entry& entry, const Request& request) {
  Options options = entry.options;
  if (request.preemptions) options.preemptions = *request.preemptions;
  options.replay = request.replay;
  return options;
}

Verdict judge_test(const Entry& entry) {
  Run unused;
  try {
    entry.body(unused);
  } catch (const std::exception& error) {
    return {"FAILED", false, error.what(), {}};
  }
  return {"ok", true, {}, {}};
}

Verdict judge_mutation(const Entry& entry, const Request& request) {
  const Entry& original = model_of(entry);
  Options options = options_of(original, request);
  options.simplify = request.trace;
  const Broken broken(entry.changes);
  Result result = explore(options, original.body);
  if (const std::string unmet = broken.unmet(); !unmet.empty()) {
    return {"NOT MET", false, "the model never came to: " + unmet, result};
  }
  if (!result.failed) return {"NOT CAUGHT", false, "the model holds although it is broken", result};
  if (result.message.starts_with("not exhausted")) return {"FAILED", false, result.message, result};
  return {"caught", true, result.message, result};
}

Verdict judge(const Entry& entry, const Request& request) {
  if (entry.kind == Entry::Kind::Test) return judge_test(entry);
  if (entry.kind == Entry::Kind::Mutation) return judge_mutation(entry, request);
  Result result = explore(options_of(entry, request), entry.body);
  if (entry.kind == Entry::Kind::Model) {
    return {result.failed ? "FAILED" : "ok", !result.failed, result.message, result};
  }
  if (!result.failed) return {"NOT FOUND", false, "no execution fails", result};
  const bool right = result.message.find(entry.expected) != std::string::npos;
  return {right ? "found" : "FAILED", right, result.message, result};
}

bool wanted(const Entry& entry, const Request& request) {
  if (request.filters.empty()) return true;
  const std::string title = entry.title();
  return std::any_of(request.filters.begin(), request.filters.end(),
                     [&](const auto& filter) { return title.find(filter) != std::string::npos; });
}

void print_trace(const std::vector<std::string>& lines) {
  constexpr std::size_t first = 80, last = 80;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == first && lines.size() > first + last + 1) {
      std::printf("      ... %zu steps left out ...\n", lines.size() - first - last);
      i = lines.size() - last;
    }
    std::printf("    %s\n", lines[i].c_str());
  }
}

void print(const Entry& entry, const Verdict& verdict, double seconds, const Request& request) {
  std::printf("%-10s %10llu executions %7.0f ms  %s\n", verdict.word,
              static_cast<unsigned long long>(verdict.result.executions), seconds * 1e3,
              entry.title().c_str());
  const bool fails = !verdict.why.empty();
  const bool show = !verdict.good || !request.replay.empty() || (fails && request.trace);
  if (!show) return;
  if (fails) std::printf("    %s\n", verdict.why.c_str());
  print_trace(verdict.result.trace);
  if (!verdict.result.schedule.empty()) {
    std::printf("    replay: --replay '%s' '%s'\n", verdict.result.schedule.c_str(),
                entry.title().c_str());
  }
}

}  // namespace

int run(const Request& request) {
  std::vector<const Entry*> chosen;
  for (const Entry& entry : entries()) {
    if (entry.kind == Entry::Kind::Mutation) model_of(entry);
    if (wanted(entry, request)) chosen.push_back(&entry);
  }
  // By suite, and in each as written.
  std::sort(chosen.begin(), chosen.end(), [](const Entry* a, const Entry* b) {
    const int order = std::strcmp(a->suite, b->suite);
    return order != 0 ? order < 0 : a < b;
  });
  if (chosen.empty()) throw std::invalid_argument("no model has such a name");
  if (!request.replay.empty() && chosen.size() != 1) {
    throw std::invalid_argument("--replay is for one model; the filter names " +
                                std::to_string(chosen.size()));
  }
  if (request.survey) return survey(request);
  unsigned bad = 0;
  for (const Entry* entry : chosen) {
    if (request.list) {
      std::printf("%s\n", entry->title().c_str());
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    const Verdict verdict = judge(*entry, request);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    print(*entry, verdict, took.count(), request);
    std::fflush(stdout);
    if (!verdict.good) ++bad;
  }
  if (!request.list) {
    std::printf("%zu models and mutations, %u not as they should be\n", chosen.size(), bad);
  }
  return bad == 0 ? 0 : 1;
}

}  // namespace model

// What the programs of `./dev bench compare` share: arguments, clocks, and the one line of JSON
// that is their answer.
//
// Invariant: only what lies between start() and stop() is counted, in wall time as in CPU time, and
// nothing is counted as "ok" that the program has not compared with a result known beforehand.
#pragma once

#include <sys/resource.h>
#include <sys/time.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"

namespace bench {

// The most memory this process has had. Not getrusage's: that counts the parent's before exec.
inline long peak_kib() {
  long kib = 0;
  if (std::FILE* status = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, status) != nullptr)
      if (std::sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    std::fclose(status);
  }
  return kib;
}

// User and kernel time of all threads.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Program {
 public:
  // `size` is the default of --size. `cases` are what --case may name, the first by default; most
  // programs have none.
  Program(std::string workload, std::string contender, int argc, char** argv, long size,
          std::vector<std::string_view> cases = {""})
      : workload_(std::move(workload)), contender_(std::move(contender)) {
    CommandLine line(argc, argv,
                     {{"threads", "1", "threads or loops that work"},
                      {"size", std::to_string(size), "what it means depends on the workload"},
                      {"case", cases.front().empty() ? "-" : cases.front(), "which measurement"}});
    threads_ = line.number<int>("threads", 1, 1024);
    size_ = line.number<long>("size", 1, 1'000'000'000'000);
    case_ = line.text("case");
    if (case_ == "-") case_.clear();
    for (const auto known : cases)
      if (known == case_) return;
    std::fprintf(stderr, "%s: there is no case \"%s\"\n", argv[0], case_.c_str());
    std::exit(2);
  }

  int threads() const { return threads_; }
  long size() const { return size_; }
  std::string_view which() const { return case_; }

  // May be called several times: what lies between is summed.
  void start() {
    cpu_at_ = cpu_seconds();
    wall_at_ = std::chrono::steady_clock::now();
  }
  void stop() {
    wall_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_at_).count();
    cpu_s_ += cpu_seconds() - cpu_at_;
  }

  // Prints the line. Gives what main returns.
  int finish(std::int64_t ops, bool correct) const {
    std::printf("{\"workload\": \"%s\", \"case\": \"%s\", \"contender\": \"%s\", \"threads\": %d, ",
                workload_.c_str(), case_.c_str(), contender_.c_str(), threads_);
    std::printf("\"size\": %ld, \"ops\": %lld, \"wall_s\": %.9f, \"cpu_s\": %.6f, ", size_,
                static_cast<long long>(ops), wall_s_, cpu_s_);
    std::printf("\"peak_kib\": %ld, \"check\": \"%s\"}\n", peak_kib(), correct ? "ok" : "wrong");
    return correct ? 0 : 1;
  }

 private:
  std::string workload_, contender_, case_;
  int threads_ = 1;
  long size_ = 0;
  double wall_s_ = 0, cpu_s_ = 0, cpu_at_ = 0;
  std::chrono::steady_clock::time_point wall_at_;
};

}  // namespace bench

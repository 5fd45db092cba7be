// See server_usage.hpp.
//
// The processor time is that of the process's clock: the scheduler's own sum in ns over all
// threads, io_uring's workers among them, those that have ended too (which a sum over
// /proc/PID/task would lose). A thread that runs on another processor is counted up to its last
// tick, at most 4 ms ago.
#include "server_usage.hpp"

#include <time.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace echo_bench {
namespace {

std::string proc(pid_t pid) { return "/proc/" + std::to_string(pid); }

// The number after "name:" in a /proc file, or 0.
std::uint64_t field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t value = 0;
  while (file >> word) {
    if (word == name + ":" && file >> value) return value;
  }
  return 0;
}

}  // namespace

ServerUsage ServerUsage::read(pid_t pid) {
  clockid_t clock;
  timespec time{};
  int error = clock_getcpuclockid(pid, &clock);
  if (error == 0 && clock_gettime(clock, &time) != 0) error = errno;
  if (error != 0) {
    throw std::system_error(error, std::generic_category(),
                            "processor time of process " + std::to_string(pid));
  }
  ServerUsage usage;
  usage.cpu_ns = std::uint64_t(time.tv_sec) * 1'000'000'000 + std::uint64_t(time.tv_nsec);
  std::ifstream file(proc(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(line.rfind(')') + 2));  // the name may hold spaces
  std::string skipped;
  for (int i = 3; i < 14; ++i) rest >> skipped;
  rest >> usage.user_ticks >> usage.kernel_ticks;
  std::error_code ignored;
  for (auto& thread : std::filesystem::directory_iterator(proc(pid) + "/task", ignored)) {
    usage.sleeps += field(thread.path() / "status", "voluntary_ctxt_switches");
  }
  return usage;
}

std::uint64_t resident_bytes(pid_t pid) {
  std::uint64_t kib = field(proc(pid) + "/smaps_rollup", "Rss");
  if (kib == 0) {
    throw std::system_error(ENOENT, std::generic_category(),
                            "resident memory in " + proc(pid) + "/smaps_rollup");
  }
  return kib * 1024;
}

}  // namespace echo_bench

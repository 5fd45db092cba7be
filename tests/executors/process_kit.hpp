// What the tests of process pools share: looking at this process and its children from outside.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <coil/future.hpp>
#include <coil/process_pool_executor.hpp>
#include <cstdlib>
#include <fstream>
#include <kit/loops.hpp>
#include <kit/time_scale.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace process_kit {

// First line of a test that is about the processes: under simulation there are none.
#define PROCESSES_NEEDED() \
  if (kit::simulated()) GTEST_SKIP() << "calls are made in this process under simulation"

inline std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  if (DIR* opened = ::opendir(directory.c_str())) {
    while (const dirent* entry = ::readdir(opened))
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    ::closedir(opened);
  }
  return names;
}

inline std::size_t open_descriptors() { return names_in("/proc/self/fd").size(); }

// The state letter of /proc/PID/stat; 0 if there is no such process.
inline char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return 0;
  const auto end = text.rfind(')');
  return end + 2 < text.size() ? text[end + 2] : '\0';
}
inline bool is_there(pid_t pid) {
  const char state = state_of(pid);
  return state != 0 && state != 'Z' && state != 'X';
}

inline std::string executable_of(const std::string& process) {
  char path[4096] = {};
  return ::readlink(("/proc/" + process + "/exe").c_str(), path, sizeof path - 1) < 0 ? "" : path;
}

// The workers among the children of this process, and zombies. (A sanitizer may have a child of its
// own, to find the names of functions.)
inline std::vector<pid_t> children() {
  std::vector<pid_t> found;
  const std::string own = executable_of("self");
  for (const auto& thread : names_in("/proc/self/task")) {
    std::ifstream file("/proc/self/task/" + thread + "/children");
    pid_t pid = 0;
    while (file >> pid)
      if (state_of(pid) == 'Z' || executable_of(std::to_string(pid)) == own) found.push_back(pid);
  }
  return found;
}

// Polls: for what another process does.
template <class Condition>
bool soon(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
  const auto until = std::chrono::steady_clock::now() + kit::scaled(limit);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// Times N of what a test does by default, by COIL_STRESS.
inline int stress(int small) {
  const char* factor = std::getenv("COIL_STRESS");
  return factor != nullptr ? small * std::max(1, std::atoi(factor)) : small;
}

// The text of the BrokenProcessPool that the future has failed with.
template <class T>
std::string broken_text(const coil::Future<T>& future) {
  try {
    future.get();
  } catch (const coil::BrokenProcessPool& error) {
    return error.what();
  }
  ADD_FAILURE() << "it did not fail";
  return {};
}

}  // namespace process_kit

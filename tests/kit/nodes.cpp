#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <kit/loops.hpp>
#include <kit/nodes.hpp>
#include <string>

namespace kit {
namespace {

constexpr std::uintptr_t page_size = 4096;
constexpr const char* node_directory = "/sys/devices/system/node";

bool exists(int node) {
  return std::filesystem::exists(std::string(node_directory) + "/node" + std::to_string(node));
}

// The physical page's number, as /proc/self/pagemap tells it to root; 0: not known.
std::uint64_t frame_number(std::uintptr_t address) {
  std::FILE* file = std::fopen("/proc/self/pagemap", "r");
  std::uint64_t entry = 0;
  if (file == nullptr) return 0;
  const long at = static_cast<long>(address / page_size * sizeof entry);
  if (std::fseek(file, at, SEEK_SET) != 0 || std::fread(&entry, sizeof entry, 1, file) != 1)
    entry = 0;
  std::fclose(file);
  constexpr std::uint64_t present = std::uint64_t{1} << 63U;
  constexpr std::uint64_t number = (std::uint64_t{1} << 55U) - 1;
  return (entry & present) != 0 ? entry & number : 0;
}

// Memory comes in blocks, and each node's directory links to its own.
int node_of_frame(std::uint64_t frame) {
  std::uint64_t block_size = 0;
  std::ifstream("/sys/devices/system/memory/block_size_bytes") >> std::hex >> block_size;
  if (frame == 0 || block_size == 0) return -1;
  const std::string block = "/memory" + std::to_string(frame * page_size / block_size);
  for (int node = 0; exists(node); ++node)
    if (std::filesystem::exists(node_directory + ("/node" + std::to_string(node)) + block))
      return node;
  return -1;
}

}  // namespace

const char* why_not_two_nodes() {
  if (simulated()) return "not under simulation: needs memory";
  if (!exists(0) || !exists(1)) return "this machine has one NUMA node";
  return nullptr;
}

bool nodes_are_promised() { return std::getenv("COIL_TEST_NODES") != nullptr && !simulated(); }

int node_of_this_thread() {
  unsigned cpu = 0;
  unsigned node = 0;
  return ::syscall(SYS_getcpu, &cpu, &node, nullptr) == 0 ? static_cast<int>(node) : -1;
}

int node_of_page(const void* address) {
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(address) & ~(page_size - 1);
  void* page = reinterpret_cast<void*>(at);
  int status = -1;
  if (::syscall(SYS_move_pages, 0, 1UL, &page, nullptr, &status, 0) == 0 && status >= 0)
    return status;
  return node_of_frame(frame_number(at));
}

PageCount count_pages(const void* begin, std::size_t size, int node) {
  PageCount count;
  const auto first = reinterpret_cast<std::uintptr_t>(begin) & ~(page_size - 1);
  const auto end = reinterpret_cast<std::uintptr_t>(begin) + size;
  for (std::uintptr_t at = first; at < end; at += page_size) {
    const int lies_on = node_of_page(reinterpret_cast<const void*>(at));
    ++(lies_on < 0 ? count.untouched : lies_on == node ? count.here : count.elsewhere);
  }
  return count;
}

}  // namespace kit

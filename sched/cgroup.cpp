// The CPU quota of this process's cgroup and of every cgroup above it, version 2 and version 1.
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "topology.hpp"

namespace coil::detail {
namespace {

std::optional<double> read_number(const std::string& path) {
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

// cpu.max: "150000 100000" or "max 100000".
std::optional<double> quota_v2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> quota_v1(const std::string& directory) {
  const auto quota = read_number(directory + "/cpu.cfs_quota_us");
  const auto period = read_number(directory + "/cpu.cfs_period_us");
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

using Quota = std::optional<double> (*)(const std::string&);

// The smallest quota from `path` up to the mount's root.
void smallest_upwards(const std::string& mount, std::string path, Quota quota,
                      std::optional<double>& smallest) {
  for (;;) {
    const auto here = quota(mount + path);
    if (here && (!smallest || *here < *smallest)) smallest = here;
    if (path.empty() || path == "/") return;
    path.erase(path.find_last_of('/'));
  }
}

}  // namespace

unsigned cgroup_cpu_limit(std::string_view root) {
  const std::string base(root);
  std::ifstream file(base + "/proc/self/cgroup");
  std::optional<double> smallest;
  // Lines: "0::/path" (version 2), "4:cpu,cpuacct:/path" (version 1).
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      smallest_upwards(base + "/sys/fs/cgroup", path, &quota_v2, smallest);
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      smallest_upwards(base + "/sys/fs/cgroup/cpu", path, &quota_v1, smallest);
    }
  }
  return smallest ? static_cast<unsigned>(std::ceil(*smallest - 1e-9)) : 0;
}

}  // namespace coil::detail

#include "settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "topology.hpp"

namespace coil::detail {
namespace {

constexpr int loops_max = 1024;

std::optional<std::string_view> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const char* name, std::string_view value, const char* expected) {
  throw std::invalid_argument(std::string(name) + "=" + std::string(value) + ": expected " +
                              expected);
}

template <class Number>
Number number(const char* name, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    refuse(name, text, "a whole number");
  return value;
}

bool flag(const char* name, bool otherwise) {
  const auto text = environment(name);
  if (!text) return otherwise;
  if (*text == "0") return false;
  if (*text == "1") return true;
  refuse(name, *text, "0 or 1");
}

coil::Backend backend_named(std::string_view text) {
  if (text == "automatic") return coil::Backend::automatic;
  if (text == "io_uring") return coil::Backend::io_uring;
  if (text == "epoll") return coil::Backend::epoll;
  if (text == "sim") return coil::Backend::sim;
  refuse("COIL_BACKEND", text, "io_uring, epoll or sim");
}

}  // namespace

Settings resolve(const RunOptions& options) {
  Settings settings;
  int loops = options.loops;
  if (const auto text = environment("COIL_LOOPS"); text && loops == 0)
    loops = number<int>("COIL_LOOPS", *text);
  if (loops < 0 || loops > loops_max)
    throw std::invalid_argument((options.loops == 0 ? "COIL_LOOPS=" : "RunOptions.loops=") +
                                std::to_string(loops) + ": expected 0 (one per processor) to " +
                                std::to_string(loops_max));
  settings.loops = loops != 0 ? static_cast<unsigned>(loops) : Topology::machine().loops;
  settings.pin = options.pin && flag("COIL_PIN", true);
  settings.debug = options.debug || flag("COIL_DEBUG", false);
  settings.steal = flag("COIL_STEAL", true);
  settings.sigterm = options.sigterm;
  settings.backend = options.backend;
  if (const auto text = environment("COIL_BACKEND");
      text && settings.backend == coil::Backend::automatic)
    settings.backend = backend_named(*text);
  settings.sim_seed = options.seed;
  if (const auto text = environment("COIL_SIM_SEED"); text && options.seed == 0)
    settings.sim_seed = number<std::uint64_t>("COIL_SIM_SEED", *text);
  if (const auto text = environment("COIL_RING_SQ"))
    settings.limits.sq_entries = number<unsigned>("COIL_RING_SQ", *text);
  if (const auto text = environment("COIL_RING_CQ"))
    settings.limits.cq_entries = number<unsigned>("COIL_RING_CQ", *text);
  if (!options.name.empty()) settings.name = options.name;
  return settings;
}

}  // namespace coil::detail

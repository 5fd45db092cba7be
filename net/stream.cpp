#include <coil/stream.hpp>

namespace coil {

std::optional<std::string> StreamWriter::get_extra_info(std::string_view name) const {
  if (name == "peername") return peername().to_string();
  if (name == "sockname") return sockname().to_string();
  return std::nullopt;
}

}  // namespace coil

#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>
#include <coil/address.hpp>
#include <cstddef>
#include <stdexcept>

namespace coil {
namespace {

// A zone is an interface's name or number. 0: there is no such interface.
std::uint32_t zone_number(const std::string& zone) {
  std::uint32_t number = 0;
  const char* end = zone.data() + zone.size();
  if (const auto parsed = std::from_chars(zone.data(), end, number);
      parsed.ec == std::errc() && parsed.ptr == end)
    return number;
  return ::if_nametoindex(zone.c_str());
}

}  // namespace

Address::Address(std::string_view ip, std::uint16_t port) {
  const auto address = parse(ip, port);
  if (!address)
    throw std::invalid_argument("Address: '" + std::string(ip) + "' is no numeric IP address");
  *this = *address;
}

std::optional<Address> Address::parse(std::string_view ip, std::uint16_t port) {
  Address address;
  if (ip.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET, std::string(ip).c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    return address;
  }
  const auto percent = ip.find('%');
  const std::string plain(ip.substr(0, percent));
  if (::inet_pton(AF_INET6, plain.c_str(), &address.storage_.v6.sin6_addr) != 1)
    return std::nullopt;
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_port = htons(port);
  if (percent != std::string_view::npos) {
    address.storage_.v6.sin6_scope_id = zone_number(std::string(ip.substr(percent + 1)));
    if (address.storage_.v6.sin6_scope_id == 0) return std::nullopt;
  }
  return address;
}

Address Address::from_sockaddr(const sockaddr* address, socklen_t size) {
  Address result;
  const bool readable = size >= offsetof(sockaddr, sa_data);
  if (readable && address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    std::memcpy(&result.storage_.v4, address, sizeof(sockaddr_in));
    // Padding that some leave undefined: equal addresses compare equal.
    std::memset(result.storage_.v4.sin_zero, 0, sizeof result.storage_.v4.sin_zero);
  } else if (readable && address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    std::memcpy(&result.storage_.v6, address, sizeof(sockaddr_in6));
  } else {
    throw std::invalid_argument("Address: neither an IPv4 nor an IPv6 socket address");
  }
  return result;
}

Address Address::any(int family, std::uint16_t port) {
  return Address(family == AF_INET6 ? "::" : "0.0.0.0", port);
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void Address::set_port(std::uint16_t port) noexcept {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) return ::inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
  if (family() != AF_INET6) return "";
  std::string ip = ::inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  if (const std::uint32_t zone = storage_.v6.sin6_scope_id; zone != 0) {
    char name[IF_NAMESIZE];
    ip += '%';
    ip += ::if_indextoname(zone, name) != nullptr ? name : std::to_string(zone);
  }
  return ip;
}

std::string Address::to_string() const {
  if (empty()) return "(none)";
  const std::string port_text = ":" + std::to_string(port());
  return family() == AF_INET6 ? "[" + ip() + "]" + port_text : ip() + port_text;
}

socklen_t Address::size() const noexcept {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  if (family() == AF_INET6) return sizeof(sockaddr_in6);
  return 0;
}

}  // namespace coil

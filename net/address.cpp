#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <coil/address.hpp>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <type_traits>

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

// The system's addresses lie in ours as bytes.
template <class A>
A get(const void* bytes) noexcept {
  A address;
  std::memcpy(&address, bytes, sizeof address);
  return address;
}
template <class A>
void put(std::byte (&storage)[28], const A& address) noexcept {
  static_assert(sizeof address <= sizeof storage && alignof(A) <= 4);
  std::memcpy(storage, &address, sizeof address);
}
static_assert(std::is_same_v<socklen_t, std::uint32_t>);

}  // namespace

Address::Address(std::string_view ip, std::uint16_t port) {
  const auto address = parse(ip, port);
  if (!address)
    throw std::invalid_argument("Address: '" + std::string(ip) + "' is no numeric IP address");
  *this = *address;
}

std::optional<Address> Address::parse(std::string_view ip, std::uint16_t port) {
  if (ip.find('\0') != std::string_view::npos) return std::nullopt;
  Address address;
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, std::string(ip).c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    put(address.storage_, v4);
    return address;
  }
  const auto percent = ip.find('%');
  const std::string plain(ip.substr(0, percent));
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, plain.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (percent != std::string_view::npos) {
    v6.sin6_scope_id = zone_number(std::string(ip.substr(percent + 1)));
    if (v6.sin6_scope_id == 0) return std::nullopt;
  }
  put(address.storage_, v6);
  return address;
}

Address Address::from_sockaddr(const sockaddr* address, std::uint32_t size) {
  Address result;
  const bool readable = size >= offsetof(sockaddr, sa_data);
  if (readable && address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    auto v4 = get<sockaddr_in>(address);
    // Padding that some leave undefined: equal addresses compare equal.
    std::memset(v4.sin_zero, 0, sizeof v4.sin_zero);
    put(result.storage_, v4);
  } else if (readable && address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    put(result.storage_, get<sockaddr_in6>(address));
  } else {
    throw std::invalid_argument("Address: neither an IPv4 nor an IPv6 socket address");
  }
  return result;
}

Address Address::any(int family, std::uint16_t port) {
  return Address(family == AF_INET6 ? "::" : "0.0.0.0", port);
}

int Address::family() const noexcept { return get<sa_family_t>(storage_); }

const sockaddr* Address::data() const noexcept {
  return reinterpret_cast<const sockaddr*>(storage_);
}

bool Address::equals(const Address& other) const noexcept {
  return size() == other.size() && std::memcmp(storage_, other.storage_, size()) == 0;
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(get<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(get<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

// Both have it in the same place.
void Address::set_port(std::uint16_t port) noexcept {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  if (empty()) return;
  const in_port_t number = htons(port);
  std::memcpy(storage_ + offsetof(sockaddr_in, sin_port), &number, sizeof number);
}

std::string Address::ip() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const auto v4 = get<sockaddr_in>(storage_);
    return ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  }
  if (family() != AF_INET6) return "";
  const auto v6 = get<sockaddr_in6>(storage_);
  std::string ip = ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  if (const std::uint32_t zone = v6.sin6_scope_id; zone != 0) {
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

std::uint32_t Address::size() const noexcept {
  if (family() == AF_INET) return sizeof(sockaddr_in);
  if (family() == AF_INET6) return sizeof(sockaddr_in6);
  return 0;
}

}  // namespace coil

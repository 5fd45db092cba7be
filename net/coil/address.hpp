// Address: where a socket is or goes: an IPv4 or IPv6 address and a port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The system's, of <sys/socket.h>; its socklen_t is std::uint32_t.
struct sockaddr;

namespace coil {

// A value. Default-constructed it is empty: family() is AF_UNSPEC, size() is 0.
class Address {
 public:
  Address() noexcept = default;
  // From a numeric address, IPv6 with or without a zone ("fe80::1%eth0"). Throws
  // std::invalid_argument if it is not numeric; names are for open_connection and getaddrinfo.
  Address(std::string_view ip, std::uint16_t port);
  [[nodiscard]] static std::optional<Address> parse(std::string_view ip, std::uint16_t port);
  // What the kernel gives. Throws std::invalid_argument for another family or a wrong size.
  [[nodiscard]] static Address from_sockaddr(const sockaddr* address, std::uint32_t size);
  // Every interface of the machine.
  [[nodiscard]] static Address any(int family, std::uint16_t port);

  [[nodiscard]] bool empty() const noexcept { return family() == 0; }
  [[nodiscard]] int family() const noexcept;  // AF_INET, AF_INET6, AF_UNSPEC
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  // "127.0.0.1", "::1", "fe80::1%eth0"; "" if empty.
  [[nodiscard]] std::string ip() const;
  // "127.0.0.1:80", "[::1]:80"; "(none)" if empty.
  [[nodiscard]] std::string to_string() const;

  // For the kernel.
  [[nodiscard]] const sockaddr* data() const noexcept;
  [[nodiscard]] std::uint32_t size() const noexcept;

  [[nodiscard]] friend bool operator==(const Address& a, const Address& b) noexcept {
    return a.equals(b);
  }

 private:
  [[nodiscard]] bool equals(const Address& other) const noexcept;

  // A sockaddr_in or sockaddr_in6.
  alignas(4) std::byte storage_[28] = {};
};

}  // namespace coil

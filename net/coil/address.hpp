// Address: where a socket is or goes: an IPv4 or IPv6 address and a port.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace coil {

// A value. Default-constructed it is empty: family() is AF_UNSPEC, size() is 0.
class Address {
 public:
  Address() noexcept { std::memset(&storage_, 0, sizeof storage_); }
  // From a numeric address, IPv6 with or without a zone ("fe80::1%eth0"). Throws
  // std::invalid_argument if it is not numeric; names are for open_connection and getaddrinfo.
  Address(std::string_view ip, std::uint16_t port);
  [[nodiscard]] static std::optional<Address> parse(std::string_view ip, std::uint16_t port);
  // What the kernel gives. Throws std::invalid_argument for another family or a wrong size.
  [[nodiscard]] static Address from_sockaddr(const sockaddr* address, socklen_t size);
  // Every interface of the machine.
  [[nodiscard]] static Address any(int family, std::uint16_t port);

  [[nodiscard]] bool empty() const noexcept { return family() == AF_UNSPEC; }
  [[nodiscard]] int family() const noexcept { return storage_.any.sa_family; }
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  // "127.0.0.1", "::1", "fe80::1%eth0"; "" if empty.
  [[nodiscard]] std::string ip() const;
  // "127.0.0.1:80", "[::1]:80"; "(none)" if empty.
  [[nodiscard]] std::string to_string() const;

  [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.any; }
  [[nodiscard]] socklen_t size() const noexcept;

  [[nodiscard]] friend bool operator==(const Address& a, const Address& b) noexcept {
    return a.size() == b.size() && std::memcmp(&a.storage_, &b.storage_, a.size()) == 0;
  }

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_;
};

}  // namespace coil

#include <sys/socket.h>

#include <coil/detail/net_error.hpp>
#include <system_error>

namespace coil::detail {
namespace {

using Getter = int (*)(int, sockaddr*, socklen_t*);

Address ask(Getter getter, int fd) noexcept {
  sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (fd < 0 || getter(fd, address, &size) != 0) return {};
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return {};
  return Address::from_sockaddr(address, size);
}

}  // namespace

void throw_net_error(int error, const std::string& what) {
  throw std::system_error(error, std::system_category(), what);
}

Address local_address_of(int fd) noexcept {
  return ask([](int s, sockaddr* a, socklen_t* n) { return ::getsockname(s, a, n); }, fd);
}

Address remote_address_of(int fd) noexcept {
  return ask([](int s, sockaddr* a, socklen_t* n) { return ::getpeername(s, a, n); }, fd);
}

}  // namespace coil::detail

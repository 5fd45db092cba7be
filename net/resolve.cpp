#include "resolve.hpp"

#include <netdb.h>

#include <cerrno>
#include <coil/detail/blocking_pool.hpp>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace coil::detail {
namespace {

// The error numbers of getaddrinfo, which are no errno.
class ResolverCategory final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "getaddrinfo"; }
  [[nodiscard]] std::string message(int error) const override { return ::gai_strerror(error); }
};

const std::error_category& resolver_category() {
  static const ResolverCategory category;
  return category;
}

std::vector<Address> ask_resolver(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_protocol = IPPROTO_TCP;
  addrinfo* list = nullptr;
  const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const int error = errno;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, [](addrinfo* l) {
    if (l != nullptr) ::freeaddrinfo(l);
  });
  if (result == EAI_SYSTEM)
    throw std::system_error(error, std::system_category(), "getaddrinfo of '" + host + "'");
  if (result != 0)
    throw std::system_error(result, resolver_category(), "getaddrinfo of '" + host + "'");
  std::vector<Address> addresses;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    addresses.push_back(Address::from_sockaddr(at->ai_addr, at->ai_addrlen));
    addresses.back().set_port(port);
  }
  if (addresses.empty())
    throw std::system_error(EAI_NONAME, resolver_category(), "getaddrinfo of '" + host + "'");
  return addresses;
}

}  // namespace

Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port) {
  if (const auto address = Address::parse(host, port))
    co_return std::vector<Address>(1, *address);
  if (host.empty() || host.find('\0') != std::string::npos)
    throw std::invalid_argument("'" + host + "' is no host name");
  co_return co_await call_blocking(
      [host = std::move(host), port] { return ask_resolver(host, port); });
}

}  // namespace coil::detail

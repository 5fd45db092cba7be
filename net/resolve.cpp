#include "resolve.hpp"

#include <netdb.h>

#include <cerrno>
#include <coil/detail/blocking_pool.hpp>
#include <coil/detail/net_error.hpp>
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

// What getaddrinfo says. Thrown only where it is awaited: nothing is shared with its thread then.
struct Answer {
  std::vector<Address> addresses;
  int result = 0;
  int system_error = 0;
};

Answer ask_resolver(const std::string& host, std::uint16_t port) {
  Answer answer;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_protocol = IPPROTO_TCP;
  addrinfo* list = nullptr;
  answer.result = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  answer.system_error = errno;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, [](addrinfo* l) {
    if (l != nullptr) ::freeaddrinfo(l);
  });
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    answer.addresses.push_back(Address::from_sockaddr(at->ai_addr, at->ai_addrlen));
    answer.addresses.back().set_port(port);
  }
  return answer;
}

Future<Answer> start_asking(const std::string& what, const std::string& host, std::uint16_t port) {
  try {
    return call_lookup([host, port] { return ask_resolver(host, port); });
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(),
                            what +
                                ": no thread can be started for it (raise the limit on processes "
                                "or memory, see ulimit -a, or give a numeric address)");
  }
}

}  // namespace

Coro<std::vector<Address>> resolve(std::string host, std::uint16_t port) {
  if (const auto address = Address::parse(host, port)) co_return std::vector<Address>(1, *address);
  if (host.empty() || host.find('\0') != std::string::npos)
    throw std::invalid_argument("'" + host + "' is no host name");
  const std::string what = "getaddrinfo of '" + host + "'";
  Answer answer = co_await start_asking(what, host, port);
  if (!answer.addresses.empty()) co_return std::move(answer.addresses);
  if (answer.result == EAI_SYSTEM) throw_net_error(answer.system_error, what);
  throw std::system_error(answer.result != 0 ? answer.result : EAI_NONAME, resolver_category(),
                          what);
}

}  // namespace coil::detail

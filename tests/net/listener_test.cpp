// Which of a name's addresses a server listens on.
#include <gtest/gtest.h>

#include <coil/coil.hpp>
#include <coil/net.hpp>
#include <listener.hpp>
#include <string>
#include <system_error>

#include "net_kit.hpp"

namespace {

using coil::Address;

// Documentation addresses (RFC 5737): no machine has them.
const Address elsewhere("203.0.113.1", 0);
const Address elsewhere_too("203.0.113.2", 0);
const Address here("127.0.0.1", 0);

TEST(Listener, an_address_that_is_listed_twice_is_listened_on_once) {
  const auto sockets = coil::detail::listen_on({here, here}, {});
  ASSERT_EQ(sockets.size(), 1U);
  EXPECT_EQ(sockets[0].local_address().ip(), "127.0.0.1");
}

TEST(Listener, an_address_that_this_machine_does_not_have_is_left_out) {
  for (const auto& addresses :
       {std::vector<Address>{elsewhere, here}, {here, elsewhere}, {elsewhere, here, elsewhere}}) {
    const auto sockets = coil::detail::listen_on(addresses, {});
    ASSERT_EQ(sockets.size(), 1U);
    EXPECT_EQ(sockets[0].local_address().ip(), "127.0.0.1");
  }
}

TEST(Listener, none_that_this_machine_has_is_an_error_that_names_the_first) {
  try {
    (void)coil::detail::listen_on({elsewhere, elsewhere_too}, {});
    ADD_FAILURE() << "did not throw";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EADDRNOTAVAIL);
    EXPECT_EQ(error.what(), std::string("bind to 203.0.113.1:0: Cannot assign requested address"));
  }
}

}  // namespace

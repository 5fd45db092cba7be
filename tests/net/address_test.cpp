// Address: text in, text out.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <coil/address.hpp>
#include <stdexcept>
#include <string>

namespace {

using coil::Address;

TEST(Address, prints_what_it_was_made_from) {
  EXPECT_EQ(Address("127.0.0.1", 80).to_string(), "127.0.0.1:80");
  EXPECT_EQ(Address("::1", 443).to_string(), "[::1]:443");
  EXPECT_EQ(Address("::1", 443).ip(), "::1");
  EXPECT_EQ(Address("2001:DB8:0::1", 65535).to_string(), "[2001:db8::1]:65535");
  EXPECT_EQ(Address("::ffff:1.2.3.4", 1).ip(), "::ffff:1.2.3.4");
  EXPECT_EQ(Address("fe80::1%lo", 1).ip(), "fe80::1%lo");
  EXPECT_EQ(Address().to_string(), "(none)");
  EXPECT_EQ(Address::any(AF_INET, 5).to_string(), "0.0.0.0:5");
  EXPECT_EQ(Address::any(AF_INET6, 5).to_string(), "[::]:5");
}

TEST(Address, refuses_what_is_no_numeric_address) {
  for (const std::string text : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::",
                                 "[::1]", "::1%", "::1%no-such-if", "1.2.3.4%lo", " 1.2.3.4"}) {
    EXPECT_FALSE(Address::parse(text, 1)) << text;
    EXPECT_THROW(Address(text, 1), std::invalid_argument) << text;
  }
  EXPECT_FALSE(Address::parse(std::string("1.2.3.4\0x", 9), 1));
}

TEST(Address, goes_through_a_sockaddr_and_back) {
  for (const Address& address : {Address("10.0.0.1", 1), Address("::2", 2)}) {
    EXPECT_EQ(Address::from_sockaddr(address.data(), address.size()), address);
    Address other = address;
    other.set_port(3);
    EXPECT_EQ(other.port(), 3);
    EXPECT_FALSE(other == address);
    EXPECT_THROW((void)Address::from_sockaddr(address.data(), address.size() - 1),
                 std::invalid_argument);
  }
  EXPECT_THROW((void)Address::from_sockaddr(Address().data(), sizeof(sockaddr_storage)),
               std::invalid_argument);
}

}  // namespace

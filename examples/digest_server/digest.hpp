// What the server tells about a file: its SHA-256 and its number of words, as `wc -w` in the C
// locale counts them.
//
// Invariant: computed in two ways that share no code but libcrypto's compression function. The
// server's Digester takes the bytes piece by piece as a state machine; the client's
// reference_digest takes the file whole.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace demo {

inline constexpr std::size_t sha256_size = 32;

struct Digest {
  std::array<unsigned char, sha256_size> sha256{};
  std::uint64_t words = 0;

  friend bool operator==(const Digest&, const Digest&) = default;
};

[[nodiscard]] std::string to_string(const Digest& digest);

class Digester {
 public:
  Digester();
  void update(std::string_view piece);
  [[nodiscard]] Digest finish();  // once

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> sha256_;
  std::uint64_t words_ = 0;
  bool in_word_ = false;
};

[[nodiscard]] Digest reference_digest(std::string_view file);

}  // namespace demo

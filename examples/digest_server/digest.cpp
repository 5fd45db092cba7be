#include "digest.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace demo {
namespace {

constexpr std::array<bool, 256> make_space_table() {
  std::array<bool, 256> table{};
  for (const char c : {' ', '\t', '\n', '\v', '\f', '\r'})
    table.at(static_cast<unsigned char>(c)) = true;
  return table;
}
constexpr std::array<bool, 256> is_space = make_space_table();

void require(int ok, const char* operation) {
  if (ok != 1) throw std::runtime_error(std::string("libcrypto: ") + operation + " failed");
}

// Fetched once: EVP_sha256() would look it up again, under a lock, for every file.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (method == nullptr) throw std::runtime_error("libcrypto has no SHA256");
  return method;
}

// A word begins wherever a byte that is no white space follows one that is, or nothing.
bool is_white(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::uint64_t count_words(std::string_view text) {
  std::uint64_t words = !text.empty() && !is_white(text.front()) ? 1 : 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    words += static_cast<std::uint64_t>(is_white(text[i - 1]) && !is_white(text[i]));
  return words;
}

}  // namespace

std::string to_string(const Digest& digest) {
  std::string text;
  for (const unsigned char byte : digest.sha256) text += fmt::format("{:02x}", byte);
  return fmt::format("{} {} words", text, digest.words);
}

Digester::Digester() : sha256_(EVP_MD_CTX_new()) {
  if (sha256_ == nullptr) throw std::bad_alloc();
  require(EVP_DigestInit_ex(sha256_.get(), sha256_method(), nullptr), "EVP_DigestInit_ex");
}

void Digester::update(std::string_view piece) {
  require(EVP_DigestUpdate(sha256_.get(), piece.data(), piece.size()), "EVP_DigestUpdate");
  for (const char c : piece) {
    const bool space = is_space[static_cast<unsigned char>(c)];
    words_ += static_cast<std::uint64_t>(!space && !in_word_);
    in_word_ = !space;
  }
}

Digest Digester::finish() {
  Digest digest;
  digest.words = words_;
  unsigned size = 0;
  require(EVP_DigestFinal_ex(sha256_.get(), digest.sha256.data(), &size), "EVP_DigestFinal_ex");
  return digest;
}

Digest reference_digest(std::string_view file) {
  Digest digest;
  digest.words = count_words(file);
  std::size_t size = 0;
  require(EVP_Q_digest(nullptr, "SHA256", nullptr, file.data(), file.size(), digest.sha256.data(),
                       &size),
          "EVP_Q_digest");
  return digest;
}

}  // namespace demo

// The protocol: length-prefixed frames, numbers in network byte order.
//
//   request   u32 length of what follows | u64 id | the file's bytes
//   answer    u32 length of what follows | u64 id | u64 words | 32 bytes SHA-256
//
// The id is the client's: the answer carries it back. A client may send any number of requests
// without waiting; answers come in the order in which they are ready.
//
// Invariant: a length that cannot be is refused before anything is allocated for it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "digest.hpp"

namespace demo {

inline constexpr std::size_t file_size_max = std::size_t{64} << 20U;
inline constexpr std::size_t request_head_size = 12;
inline constexpr std::size_t answer_size = 4 + 8 + 8 + sha256_size;

class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct RequestHead {
  std::uint64_t id = 0;
  std::size_t file_size = 0;
};

struct Answer {
  std::uint64_t id = 0;
  Digest digest;
};

namespace detail {

template <class Number>
void put(char*& to, Number value) noexcept {
  for (unsigned shift = sizeof(Number) * 8; shift != 0;) {
    shift -= 8;
    *to++ = static_cast<char>(value >> shift & 0xFFU);
  }
}

template <class Number>
[[nodiscard]] Number take(std::string_view& from) noexcept {
  Number value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    value = static_cast<Number>(value << 8U | static_cast<unsigned char>(from[i]));
  from.remove_prefix(sizeof(Number));
  return value;
}

}  // namespace detail

[[nodiscard]] inline std::array<char, request_head_size> encode(const RequestHead& head) noexcept {
  std::array<char, request_head_size> bytes{};
  char* to = bytes.data();
  detail::put(to, static_cast<std::uint32_t>(head.file_size + sizeof head.id));
  detail::put(to, head.id);
  return bytes;
}

[[nodiscard]] inline RequestHead decode_request_head(std::string_view bytes) {
  const std::size_t length = detail::take<std::uint32_t>(bytes);
  if (length < sizeof(std::uint64_t) || length - sizeof(std::uint64_t) > file_size_max)
    throw ProtocolError("a request has the length " + std::to_string(length));
  return {.id = detail::take<std::uint64_t>(bytes), .file_size = length - sizeof(std::uint64_t)};
}

[[nodiscard]] inline std::array<char, answer_size> encode(const Answer& answer) noexcept {
  std::array<char, answer_size> bytes{};
  char* to = bytes.data();
  detail::put(to, static_cast<std::uint32_t>(answer_size - sizeof(std::uint32_t)));
  detail::put(to, answer.id);
  detail::put(to, answer.digest.words);
  std::copy(answer.digest.sha256.begin(), answer.digest.sha256.end(), to);
  return bytes;
}

[[nodiscard]] inline Answer decode_answer(std::string_view bytes) {
  const std::size_t length = detail::take<std::uint32_t>(bytes);
  if (length != answer_size - sizeof(std::uint32_t))
    throw ProtocolError("an answer has the length " + std::to_string(length));
  Answer answer;
  answer.id = detail::take<std::uint64_t>(bytes);
  answer.digest.words = detail::take<std::uint64_t>(bytes);
  std::copy_n(bytes.begin(), sha256_size, answer.digest.sha256.begin());
  return answer;
}

}  // namespace demo

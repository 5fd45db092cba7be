// Values as a trace shows them.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "model/cell.hpp"

namespace model {

std::string print_hex(const Word& word);

template <class T>
std::string print_word(const Word& word) {
  if constexpr (std::is_same_v<T, bool>) {
    return word.low != 0 ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return print_word<std::underlying_type_t<T>>(word);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return std::to_string(static_cast<std::int64_t>(unpack<T>(word)));
  } else if constexpr (std::is_integral_v<T>) {
    // State words are read as bits, counters as numbers; small ones are the same in both.
    return word.low < 4096 ? std::to_string(word.low) : print_hex(word);
  } else {
    return print_hex(word);
  }
}

}  // namespace model

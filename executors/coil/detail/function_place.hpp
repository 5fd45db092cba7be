// Where a function lies, in words that another process of the same executable understands: an
// image (the executable, or a shared library) and the offset in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace coil::detail {

class Packer;
class Unpacker;

// Reads its arguments and writes its result; throws what the function throws.
using PackedFunction = void (*)(Unpacker& arguments, Packer& result);

struct FunctionPlace {
  std::string image;     // path; empty: the executable
  std::string identity;  // the image's build id; empty for the executable, which cannot differ
  std::uint64_t offset = 0;
};

// Throws std::runtime_error if it lies in no image.
[[nodiscard]] FunctionPlace place_of(const void* function);
// Throws std::runtime_error with the reason if this process has no such image, or another one of
// that name.
[[nodiscard]] const void* function_at(const FunctionPlace& place);
// Of the executable, to compare.
[[nodiscard]] std::string executable_identity();

}  // namespace coil::detail

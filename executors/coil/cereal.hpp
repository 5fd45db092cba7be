// For ProcessPoolExecutor: types that only cereal knows how to serialise cross as well, by its
// binary archive. Include this, and cereal's headers for the types (<cereal/types/memory.hpp>,
// ...), in every file that submits such calls. Not part of <coil/coil.hpp>; cereal is the program's
// own.
//
// An object is an archive of its own: pointers that are shared inside of it stay shared.
#pragma once

#include <cereal/archives/binary.hpp>
#include <coil/detail/pack.hpp>
#include <istream>
#include <ostream>
#include <streambuf>
#include <string>

namespace coil::detail {

template <class T>
concept CerealOnly =
    std::is_class_v<T> &&
    cereal::traits::is_output_serializable<T, cereal::BinaryOutputArchive>::value &&
    cereal::traits::is_input_serializable<T, cereal::BinaryInputArchive>::value;

// A stream of bytes that are there.
class BlockBuffer final : public std::streambuf {
 public:
  explicit BlockBuffer(std::span<const std::byte> bytes) {
    auto* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(begin, begin, begin + bytes.size());
  }
};
class TextBuffer final : public std::streambuf {
 public:
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  int_type overflow(int_type c) override {
    if (c != traits_type::eof()) text_ += traits_type::to_char_type(c);
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* from, std::streamsize size) override {
    text_.append(from, static_cast<std::size_t>(size));
    return size;
  }

  std::string text_;
};

template <CerealOnly T>
struct ForeignPack<T> {
  static constexpr bool possible = true;
  static void write(Packer& out, const T& value) {
    TextBuffer buffer;
    std::ostream stream(&buffer);
    cereal::BinaryOutputArchive archive(stream);
    archive(value);
    out.add_block(buffer.text().data(), buffer.text().size(), 1);
  }
  static T read(Unpacker& in) {
    BlockBuffer buffer(in.read_block(1));
    std::istream stream(&buffer);
    cereal::BinaryInputArchive archive(stream);
    T value;
    try {
      archive(value);
    } catch (const cereal::Exception& error) {
      throw PackError(error.what());
    }
    return value;
  }
};

}  // namespace coil::detail

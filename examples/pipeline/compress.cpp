#include "compress.hpp"

#include <zstd.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "inspect.hpp"

namespace pipeline {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

Packed compress(const std::string& bytes, int level) {
  // A context is megabytes that are worth keeping; a compute thread does one call at a time.
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  std::vector<char> compressed(ZSTD_compressBound(bytes.size()));
  const auto size = ZSTD_compressCCtx(context.get(), compressed.data(), compressed.size(),
                                      bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0)
    throw std::runtime_error(std::string("compress: ") + ZSTD_getErrorName(size));
  compressed.resize(size);
  return {std::move(compressed), hash_of(bytes)};
}

}  // namespace pipeline

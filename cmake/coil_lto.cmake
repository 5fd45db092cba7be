# Thin link-time optimisation, for the library and for programs that want it (benches, examples).
#
# Invariant: the library's objects are "fat": machine code for every linker, and beside it what lld
# optimises again when a program is linked with coil_lto. Tests and whoever installs the library
# need not know.
add_library(coil_lto INTERFACE)

if(COIL_LTO)
  include(CheckCXXSourceCompiles)
  set(coil_lto_flags -flto=thin -ffat-lto-objects)
  list(JOIN coil_lto_flags " " CMAKE_REQUIRED_FLAGS)
  set(CMAKE_REQUIRED_LINK_OPTIONS ${coil_lto_flags})
  check_cxx_source_compiles("int main() {}" COIL_HAS_FAT_LTO)
  unset(CMAKE_REQUIRED_FLAGS)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
  if(NOT COIL_HAS_FAT_LTO)
    message(FATAL_ERROR
      "COIL_LTO needs clang 17 or newer and lld of the same version "
      "(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld), because it makes fat objects. Configure without it.")
  endif()
  target_compile_options(coil_lto INTERFACE ${coil_lto_flags})
  target_link_options(coil_lto INTERFACE ${coil_lto_flags})
endif()

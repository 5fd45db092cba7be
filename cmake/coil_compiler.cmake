# Refuses the compilers whose coroutines are known to be broken, with the reason and the way out.

function(coil_refuse_compiler reason)
  message(FATAL_ERROR
    "Coil cannot be built with ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} "
    "(${CMAKE_CXX_COMPILER}).\n"
    "${reason}\n"
    "Use clang 16 or newer (clang-19 is tested):\n"
    "  cmake --preset release\n"
    "or, in a fresh build directory,\n"
    "  cmake -B build -DCMAKE_CXX_COMPILER=clang++-19     (or CXX=clang++-19 cmake -B build)\n"
    "On Debian 12: apt-get install clang-19 lld-19. g++ 13 or newer may work.")
endfunction()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  coil_refuse_compiler(
    "g++ before 13 destroys the captures of a lambda that is written inside a co_await expression \
twice, a double free in `co_await with(manager, [x] { ... })` at every optimisation level, and it \
turns symmetric transfer into stack growth without -O2.")
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  coil_refuse_compiler(
    "clang before 16 lacks C++20 that Coil's headers use, and its coroutines have known defects.")
elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  coil_refuse_compiler("Only clang and g++ are known to work.")
endif()

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR "Coil runs on Linux only (io_uring or epoll); this is ${CMAKE_SYSTEM_NAME}.")
endif()

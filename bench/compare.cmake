# The programs of `./dev bench compare`: coil_bench_workload(), called by each workload's
# CMakeLists.txt, makes coil_bench_<workload>_<contender> of every <contender>/main.cpp whose library
# is here, and registers a test that runs them tiny.
#
# Invariant: all contenders are compiled and linked with the same flags. libuv is no part of the
# default build; Go, Rust and uvloop are none of CMake's business (compare/programs.py).

find_package(Threads REQUIRED)
find_package(TBB QUIET)
find_package(PkgConfig REQUIRED)
pkg_check_modules(COIL_BENCH_LIBUV QUIET IMPORTED_TARGET libuv)
find_path(COIL_BENCH_ASIO_INCLUDE asio.hpp)
mark_as_advanced(COIL_BENCH_ASIO_INCLUDE)

# What a contender is linked with. One without is skipped.
set(coil_bench_libraries_coil coil::coil)
set(coil_bench_libraries_serial Threads::Threads)
# Sanitizers would report what they can't see into.
if(TARGET TBB::tbb AND NOT COIL_SANITIZE)
  set(coil_bench_libraries_onetbb TBB::tbb)
endif()
if(COIL_BENCH_ASIO_INCLUDE)
  add_library(coil_bench_asio INTERFACE)
  target_include_directories(coil_bench_asio SYSTEM INTERFACE ${COIL_BENCH_ASIO_INCLUDE})
  # Asio 1.22 does not know that clang has standard coroutines.
  target_compile_definitions(coil_bench_asio INTERFACE ASIO_HAS_CO_AWAIT)
  target_link_libraries(coil_bench_asio INTERFACE Threads::Threads)
  set(coil_bench_libraries_asio coil_bench_asio)
endif()
if(TARGET PkgConfig::COIL_BENCH_LIBUV)
  set(coil_bench_libraries_libuv PkgConfig::COIL_BENCH_LIBUV)
endif()

# What `./dev bench compare` builds.
add_custom_target(coil_bench_compare)

function(coil_bench_contender workload contender)
  set(name coil_bench_${workload}_${contender})
  add_executable(${name} ${contender}/main.cpp)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE
    ${coil_bench_libraries_${contender}} coil_build_flags coil_lto)
  add_dependencies(coil_bench_compare ${name})
  if(contender STREQUAL libuv)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

function(coil_bench_workload)
  get_filename_component(workload ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/main.cpp)
  foreach(program IN LISTS programs)
    get_filename_component(dir ${program} DIRECTORY)
    get_filename_component(contender ${dir} NAME)
    if(coil_bench_libraries_${contender})
      coil_bench_contender(${workload} ${contender})
    else()
      message(STATUS "bench/${workload}: no ${contender}")
    endif()
  endforeach()
  if(COIL_BUILD_TESTS)
    enable_testing()
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    add_test(NAME bench.${workload} COMMAND ${Python3_EXECUTABLE}
      ${PROJECT_SOURCE_DIR}/bench/compare/run.py --check --workloads ${workload}
      --bin-dir ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(bench.${workload} PROPERTIES LABELS bench TIMEOUT 60 RUN_SERIAL ON)
  endif()
endfunction()

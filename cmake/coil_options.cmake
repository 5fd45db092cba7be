# How Coil's own code is compiled. Nothing here reaches a user of the library: warnings and
# -Werror hang on the private target coil_build_flags, and the global switches below (sanitizers,
# ccache) are taken only when Coil is the top-level project or is asked for them.

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(COIL_CCACHE ccache)
  mark_as_advanced(COIL_CCACHE)
  if(COIL_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${COIL_CCACHE})
  endif()
endif()

add_library(coil_build_flags INTERFACE)
target_compile_options(coil_build_flags INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${COIL_WERROR}>:-Werror>)

# Sanitizers must see the whole program, so they go to every target of this build.
if(COIL_SANITIZE)
  add_compile_options(-fsanitize=${COIL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COIL_SANITIZE})
endif()


# The rooms. Each is an OBJECT library whose include path is its own root and the roots to its
# left; their objects make up the one library `coil`.
#
# A new file is picked up by itself (CONFIGURE_DEPENDS). A room without sources is skipped, its
# headers still count.

set(COIL_ROOMS core sched executors net)
set(COIL_ROOM_DIRS ${COIL_ROOMS})
list(TRANSFORM COIL_ROOM_DIRS PREPEND ${PROJECT_SOURCE_DIR}/)

add_library(coil)
add_library(coil::coil ALIAS coil)

# coil_add_room(ROOM [LIBRARIES private third-party targets...])
function(coil_add_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES")
  target_link_libraries(coil PRIVATE ${arg_LIBRARIES})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${room}/*.cpp)
  if(NOT sources)
    message(STATUS "coil: room ${room} has no sources yet")
    return()
  endif()

  list(FIND COIL_ROOMS ${room} index)
  math(EXPR count "${index} + 1")
  list(SUBLIST COIL_ROOM_DIRS 0 ${count} visible)

  add_library(coil_${room} OBJECT ${sources})
  target_compile_features(coil_${room} PRIVATE cxx_std_20)
  target_compile_options(coil_${room} PRIVATE -pthread)
  target_include_directories(coil_${room} PRIVATE ${visible})
  target_link_libraries(coil_${room} PRIVATE coil_build_flags coil_lto ${arg_LIBRARIES})
  set_target_properties(coil_${room} PROPERTIES CXX_EXTENSIONS OFF)
  if(BUILD_SHARED_LIBS)
    set_target_properties(coil_${room} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  target_sources(coil PRIVATE $<TARGET_OBJECTS:coil_${room}>)
endfunction()

coil_add_room(core)
coil_add_room(sched LIBRARIES PkgConfig::COIL_LIBURING PkgConfig::COIL_HWLOC)
coil_add_room(executors LIBRARIES PkgConfig::COIL_TBB)
coil_add_room(net)

# What a program calls malloc is the program's affair: it links it, not the library.
if(COIL_JEMALLOC)
  target_link_libraries(coil INTERFACE PkgConfig::COIL_MALLOC)
endif()

set_target_properties(coil PROPERTIES
  LINKER_LANGUAGE CXX
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_compile_features(coil PUBLIC cxx_std_20)
target_compile_options(coil PUBLIC -pthread)
target_link_options(coil PUBLIC -pthread)
foreach(dir IN LISTS COIL_ROOM_DIRS)
  target_include_directories(coil INTERFACE $<BUILD_INTERFACE:${dir}>)
endforeach()
target_include_directories(coil INTERFACE $<INSTALL_INTERFACE:include>)

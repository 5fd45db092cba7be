# Install: the four include roots merge into include/coil, beside the library, a CMake package
# and a pkg-config file. The whole can be moved to another prefix after installing.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/coil)
set(generated ${PROJECT_BINARY_DIR}/package)

foreach(room IN LISTS COIL_ROOMS)
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/coil)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/coil
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  endif()
endforeach()

install(TARGETS coil EXPORT coilTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT coilTargets NAMESPACE coil:: DESTINATION ${package_dir})

if(BUILD_SHARED_LIBS)
  set(COIL_IS_STATIC FALSE)
else()
  set(COIL_IS_STATIC TRUE)
endif()
configure_package_config_file(cmake/coilConfig.cmake.in ${generated}/coilConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${generated}/coilConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${generated}/coilConfig.cmake ${generated}/coilConfigVersion.cmake
  cmake/coil_dependencies.cmake DESTINATION ${package_dir})

# What a linker needs beside libcoil: with a static library always, with a shared one never.
set(private_libs "-luring -lhwloc -ltbb -lpthread")
if(COIL_JEMALLOC)
  set(malloc_lib " -ljemalloc")
endif()
if(BUILD_SHARED_LIBS)
  set(COIL_PC_LIBS "-lcoil${malloc_lib}")
  set(COIL_PC_LIBS_PRIVATE "${private_libs}")
else()
  set(COIL_PC_LIBS "-lcoil ${private_libs}${malloc_lib}")
  set(COIL_PC_LIBS_PRIVATE "")
endif()
file(RELATIVE_PATH COIL_PC_TO_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/coil.pc.in ${generated}/coil.pc @ONLY)
install(FILES ${generated}/coil.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

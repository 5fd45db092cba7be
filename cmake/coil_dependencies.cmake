# The third-party libraries behind libcoil, found by pkg-config. All are private: no public header
# names them. Installed beside coilConfig.cmake, because who links a static libcoil links them too.

find_package(PkgConfig REQUIRED)
if(NOT TARGET PkgConfig::COIL_LIBURING)
  pkg_check_modules(COIL_LIBURING REQUIRED IMPORTED_TARGET GLOBAL liburing>=2.3)
endif()
if(NOT TARGET PkgConfig::COIL_HWLOC)
  pkg_check_modules(COIL_HWLOC REQUIRED IMPORTED_TARGET GLOBAL hwloc>=2.0)
endif()
if(NOT TARGET PkgConfig::COIL_TBB)
  pkg_check_modules(COIL_TBB REQUIRED IMPORTED_TARGET GLOBAL tbb>=2021.5)
endif()
if(COIL_JEMALLOC AND NOT TARGET PkgConfig::COIL_MALLOC)
  pkg_check_modules(COIL_MALLOC REQUIRED IMPORTED_TARGET GLOBAL jemalloc>=5)
endif()

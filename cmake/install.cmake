# cmake --install: the program, the static library with its headers, a pkg-config file and a CMake package. Both find
# their own place, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)

install(TARGETS polku_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS polku EXPORT polkuTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
get_target_property(polku_includes polku POLKU_INCLUDES)
foreach(include IN LISTS polku_includes)
  install(DIRECTORY ${include}/polku DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
endforeach()

# what editors complete and explain models and scenarios with
install(FILES ${CMAKE_SOURCE_DIR}/models/model.schema.json ${CMAKE_SOURCE_DIR}/configs/scenario.schema.json
  ${CMAKE_SOURCE_DIR}/configs/calibrated.schema.json ${CMAKE_SOURCE_DIR}/configs/study.schema.json
  ${CMAKE_SOURCE_DIR}/configs/claims.schema.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/polku)

set(polku_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/polku)
install(EXPORT polkuTargets NAMESPACE polku:: DESTINATION ${polku_cmake_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/polkuConfig.cmake.in ${CMAKE_BINARY_DIR}/polkuConfig.cmake
  INSTALL_DESTINATION ${polku_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/polkuConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/polkuConfig.cmake ${CMAKE_BINARY_DIR}/polkuConfigVersion.cmake
  DESTINATION ${polku_cmake_dir})

# HDF5 has a pkg-config file on Debian, not everywhere; its high-level part has none.
file(RELATIVE_PATH POLKU_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" POLKU_PREFIX_FROM_PC "${POLKU_PREFIX_FROM_PC}")
pkg_check_modules(HDF5_PC QUIET hdf5)
if(HDF5_PC_FOUND)
  set(POLKU_PC_HDF5 " hdf5")
  set(POLKU_PC_HDF5_LIBS "-lhdf5_hl")
else()
  set(POLKU_PC_HDF5 "")
  string(REPLACE ";" " " POLKU_PC_HDF5_LIBS "${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/polku.pc.in ${CMAKE_BINARY_DIR}/polku.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/polku.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

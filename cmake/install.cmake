# What `cmake --install` puts where: the tool under its three names, the library, the headers, and the two
# ways to find them (pkg-config, find_package).
include(CMakePackageConfigHelpers)

install(TARGETS mobula_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(name mobula-broker mobula-monitor)
  file(CREATE_LINK mobula ${CMAKE_BINARY_DIR}/${name} SYMBOLIC)
  install(FILES ${CMAKE_BINARY_DIR}/${name} DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

install(TARGETS mobula_shared EXPORT mobula-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS mobula_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY wire/include/mobula sdk/include/mobula DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mobula)
install(EXPORT mobula-targets NAMESPACE mobula:: DESTINATION ${config_dir})
configure_package_config_file(cmake/mobula-config.cmake.in ${CMAKE_BINARY_DIR}/mobula-config.cmake
  INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/mobula-config-version.cmake
  COMPATIBILITY SameMinorVersion) # before 1.0 a minor version may break
install(FILES ${CMAKE_BINARY_DIR}/mobula-config.cmake ${CMAKE_BINARY_DIR}/mobula-config-version.cmake
  DESTINATION ${config_dir})

file(RELATIVE_PATH MOBULA_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # so that it may be moved as a whole
string(REGEX REPLACE "/$" "" MOBULA_PC_PREFIX ${MOBULA_PC_PREFIX})
string(REPLACE ";" " " MOBULA_USER_FLAGS_TEXT "${MOBULA_USER_FLAGS}")
configure_file(cmake/mobula.pc.in ${CMAKE_BINARY_DIR}/mobula.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/mobula.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

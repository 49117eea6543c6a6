# SPDX-License-Identifier: Apache-2.0
# `make install`: the program, its manual page and shell completion (which it prints itself), service files, code lists.
include(GNUInstallDirs)
install(TARGETS accord RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(CODE "execute_process(COMMAND \"$<TARGET_FILE:accord>\" help --man OUTPUT_FILE \"${CMAKE_BINARY_DIR}/accord.1\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND \"$<TARGET_FILE:accord>\" help --completion OUTPUT_FILE \"${CMAKE_BINARY_DIR}/accord.bash\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES ${CMAKE_BINARY_DIR}/accord.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/accord.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME accord)
foreach(service hub node)
  configure_file(packaging/systemd/accord-${service}.service.in ${CMAKE_BINARY_DIR}/accord-${service}.service @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/accord-${service}.service DESTINATION lib/systemd/system)
endforeach()
install(DIRECTORY vocab/ DESTINATION ${CMAKE_INSTALL_DATADIR}/accord/vocab)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

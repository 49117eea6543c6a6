# SPDX-License-Identifier: Apache-2.0
# The web UI is built by npm into ui/dist and embedded in accord_http by src/http/assets.S.
set(ui_dist ${CMAKE_SOURCE_DIR}/ui/dist)
file(GLOB_RECURSE ui_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/ui/src/*)
add_custom_command(OUTPUT ${ui_dist}/files.inc
  COMMAND bash ${CMAKE_SOURCE_DIR}/scripts/ui.sh
  DEPENDS ${ui_sources} ${CMAKE_SOURCE_DIR}/docs/study.schema.json ${CMAKE_SOURCE_DIR}/ui/package-lock.json ${CMAKE_SOURCE_DIR}/ui/vite.config.ts
  COMMENT "Building the web UI" VERBATIM)
set_source_files_properties(src/http/assets.S PROPERTIES
  INCLUDE_DIRECTORIES "${ui_dist};${CMAKE_SOURCE_DIR}/vocab"
  OBJECT_DEPENDS "${ui_dist}/files.inc;${CMAKE_SOURCE_DIR}/vocab/icb-map.tsv")
target_sources(accord_http PRIVATE src/http/assets.S)

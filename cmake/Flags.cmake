# SPDX-License-Identifier: Apache-2.0
# One place for warnings, hardening and sanitizers. Warnings are errors: gcc 12 and clang 14 both build clean.
add_compile_options(
  -Wall -Wextra -Wpedantic -Werror -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings -Wnull-dereference
  -Wimplicit-fallthrough -Wdouble-promotion -fvisibility=hidden -fno-math-errno)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-double-promotion) # its NAN and INFINITY are floats; gcc checks our own conversions
endif()
add_compile_definitions(_GNU_SOURCE ACCORD_VERSION="${PROJECT_VERSION}")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-format-truncation) # texts of errors are cut on purpose
endif()
include_directories(${CMAKE_SOURCE_DIR}/src)

if(ACCORD_SANITIZE)
  add_compile_options(-fsanitize=${ACCORD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
  add_link_options(-fsanitize=${ACCORD_SANITIZE})
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
  add_link_options(-Wl,-z,relro,-z,now)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")

# The language, the warnings, the sanitizers and ccache: what every target shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
                    -Wundef -Werror)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  # -g1 keeps file and line in stack traces; full debug information doubles link time and disk use.
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
endif()
if(INGOT_SANITIZE)
  add_compile_options(-fsanitize=${INGOT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=${INGOT_SANITIZE})
else()
  add_compile_definitions($<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND INGOT_SANITIZE)
  # g++ 12 reports false positives of these from inside libstdc++ when the sanitizers' instrumentation is on; and its
  # ThreadSanitizer does not know atomic_thread_fence, which Asio uses.
  add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-tsan)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105651: "text" + std::string is reported from inside libstdc++ where it is inlined.
  add_compile_options(-Wno-restrict)
endif()

# Writes OUT, a C++ source whose function FUNCTION gives the files below DIRECTORY:
# cmake -DDIRECTORY=... -DFUNCTION=... -DOUT=... -P embed.cmake
file(GLOB_RECURSE files RELATIVE ${DIRECTORY} ${DIRECTORY}/*)
list(SORT files)
set(arrays "")
set(rows "")
set(number 0)
set(prefix k_${FUNCTION}_)
foreach(file IN LISTS files)
  file(READ ${DIRECTORY}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND arrays "constexpr char ${prefix}${number}[] = {${bytes}'\\0'};\n")
  string(APPEND rows "    {\"${file}\", {static_cast<const char*>(${prefix}${number}), sizeof(${prefix}${number}) - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"client/templates/templates.h\"

namespace ingot::client {

namespace {
${arrays}}  // namespace

const std::vector<TemplateFile>& ${FUNCTION}() {
  static const std::vector<TemplateFile> kFiles = {
${rows}  };
  return kFiles;
}

}  // namespace ingot::client
")

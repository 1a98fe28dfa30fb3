# Writes OUT, a C++ source that has the files below DIRECTORY in it: cmake -DDIRECTORY=... -DOUT=... -P embed.cmake
file(GLOB_RECURSE files RELATIVE ${DIRECTORY} ${DIRECTORY}/*)
list(SORT files)
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
  file(READ ${DIRECTORY}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND arrays "constexpr char kFile${number}[] = {${bytes}'\\0'};\n")
  string(APPEND rows "    {\"${file}\", {static_cast<const char*>(kFile${number}), sizeof(kFile${number}) - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "#include \"client/templates/project_template.h\"

namespace ingot::client {

namespace {
${arrays}}  // namespace

const std::vector<TemplateFile>& project_template() {
  static const std::vector<TemplateFile> kFiles = {
${rows}  };
  return kFiles;
}

}  // namespace ingot::client
")

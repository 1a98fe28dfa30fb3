#include "client/templates/templates.h"

#include "daemon/sys/atomic_file.h"
#include "daemon/sys/files.h"

namespace ingot::client {

Status write_template_file(const std::filesystem::path& directory, const TemplateFile& file, std::string_view content) {
  const auto path = directory / file.path;
  INGOT_CHECK(sys::make_directories(path.parent_path()));
  INGOT_TRY(auto written, sys::AtomicFile::create(path, file.is_program() ? 0755 : 0644));
  INGOT_CHECK(written.write(content));
  return written.commit();
}

}  // namespace ingot::client

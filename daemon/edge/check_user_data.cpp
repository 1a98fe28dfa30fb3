#include "daemon/edge/check_user_data.h"

#include "daemon/base/strings.h"
#include "daemon/edge/document_check.h"

namespace ingot::edge {

namespace {

void check_header(const text::Source& source, DocumentCheck& check) {
  const std::string_view text = source.text();
  const std::string_view first = base::trim(text.substr(0, text.find('\n')));
  if (first == "#cloud-config") return;
  check.complain({}, "the first line is not #cloud-config",
                 first.starts_with("#cloud") ? "did you mean \"#cloud-config\" by \"" + base::printable(first) + "\"?"
                                             : "without it the host takes the file for something else, and ignores it");
}

// What a host could not do both of.
void check_install(const YAML::Node& root, DocumentCheck& check) {
  const YAML::Node install = root["install"];
  if (!install || !install.IsMap()) return;
  const auto is_on = [&](const char* key) {
    return install[key] && install[key].IsScalar() && install[key].Scalar() == "true";
  };
  if (is_on("poweroff") && is_on("reboot")) {
    check.complain(install["reboot"].Mark(), "install has both poweroff and reboot", "a host can do one of them");
  }
}

}  // namespace

Findings check_user_data(std::string_view text, const std::string& file_name) {
  if (auto error = too_large(text, file_name, "user-data", "put large files into overlay/files of the project")) {
    return {{*std::move(error)}, {}};
  }
  const text::Source source(text, file_name);
  DocumentCheck check(source);
  check_header(source, check);
  if (const auto root = check.check(user_data_schema(), "stylus, install and stages")) check_install(*root, check);
  return check.take();
}

}  // namespace ingot::edge

#include "daemon/image/push.h"

#include "daemon/image/layout.h"
#include "daemon/image/reference.h"
#include "daemon/image/skopeo.h"

namespace ingot::image {

Status push_image(const Push& push) {
  INGOT_TRY(auto reference, parse_reference(push.image.name));
  INGOT_TRY(auto layout, lay_out(push.image.digest, "image", push.blobs, push.work_directory));
  // The digest must be ours at the other end too: nothing is packed anew on the way.
  std::vector<std::string> arguments{"copy", "--preserve-digests", "--retry-times=3"};
  const auto option = [&](const char* name) {
    if (!push.rule) return std::string();
    const auto found = push.rule->options.find(name);
    return found == push.rule->options.end() ? std::string() : found->second;
  };
  if (push.insecure || option("insecure") == "true") arguments.emplace_back("--dest-tls-verify=false");
  if (auto file = option("authfile"); !file.empty()) arguments.push_back("--dest-authfile=" + file);
  if (auto directory = option("cert_dir"); !directory.empty()) arguments.push_back("--dest-cert-dir=" + directory);
  arguments.push_back("oci:" + layout.path().string() + ":image");
  arguments.push_back("docker://" + reference.full());
  push.progress("pushing " + push.image.name);
  auto pushed = run_skopeo(arguments, push.processes, push.progress, push.cancel);
  if (pushed) return {};
  Error error = pushed.error();
  if (error.kind != ErrorKind::canceled) error.message = "cannot push " + push.image.name + ": " + error.message;
  if (error.hint.empty()) error.hint = cure_for_registry(error.message);
  return base::fail(std::move(error));
}

}  // namespace ingot::image

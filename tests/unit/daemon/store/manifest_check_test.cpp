#include "daemon/store/manifest_check.h"

#include <gtest/gtest.h>

#include "tests/support/temp.h"

namespace ingot::store {
namespace {

using proto::EntryType;
using proto::ManifestEntry;

ManifestEntry file(const std::string& path) {
  return {path, EntryType::file, 0644, 0, 0, base::Digest::of("").str(), ""};
}
ManifestEntry link(const std::string& path, const std::string& target) {
  return {path, EntryType::symlink, 0777, 0, 0, "", target};
}
std::string check(std::vector<ManifestEntry> entries, ContextLimits limits = {}) {
  auto status = check_manifest({std::move(entries)}, limits);
  return status ? "ok" : proto::render(status.error());
}

TEST(ManifestCheck, takes_what_a_project_has) {
  EXPECT_EQ(check({file("a b/ü.txt"), {"empty", EntryType::directory, 0755, 0, 0, "", ""}, link("d/l", "../a b")}),
            "ok");
  EXPECT_EQ(check({}), "ok");
}

TEST(ManifestCheck, paths_that_lead_out_are_refused_by_name) {
  EXPECT_EQ(check({file("/etc/passwd")}),
            "context path \"/etc/passwd\" is absolute\nhint: paths of a context are relative to its directory");
  EXPECT_EQ(check({file("a/../../b")}), "context path \"a/../../b\" has a \"..\", \".\" or empty part");
  EXPECT_EQ(check({file("a//b")}), "context path \"a//b\" has a \"..\", \".\" or empty part");
  EXPECT_EQ(check({file("")}), "context path \"\" is empty");
  EXPECT_EQ(check({file("x\xff")}), "context path \"x\xff\" is no UTF-8 text");
  EXPECT_EQ(check({file(std::string("x\0y", 3))}), "context path \"x\\x00y\" is no UTF-8 text");
  EXPECT_EQ(check({file(std::string(256, 'n'))}),
            "context path \"" + std::string(80, 'n') + "...\" has a name that is too long");
}

TEST(ManifestCheck, links_that_lead_out_are_refused_by_name) {
  const std::string hint = "\nhint: copy what it points to into the project, or list it in .earthlyignore";
  EXPECT_EQ(check({link("l", "/etc")}), "context path \"l\" is a symlink that leads out of the project: /etc" + hint);
  EXPECT_EQ(check({link("d/l", "../../x")}),
            "context path \"d/l\" is a symlink that leads out of the project: ../../x" + hint);
  EXPECT_EQ(check({link("l", "")}), "context path \"l\" is a symlink to nothing");
  EXPECT_EQ(check({link("l", std::string("a\0b", 3))}),
            "context path \"l\" is a symlink whose target is no UTF-8 text");
  EXPECT_EQ(check({link("l", std::string(5000, 'a'))}), "context path \"l\" is a symlink whose target is too long");
}

TEST(ManifestCheck, contradictions_are_refused) {
  EXPECT_EQ(check({link("l", "d"), file("l/x")}), "context path \"l/x\" lies below \"l\", which is no directory");
  auto devices = file("dev");
  devices.mode = 020666;
  EXPECT_EQ(check({devices}), "context path \"dev\" has mode 20666, which is no permission");
  auto nothing = file("x");
  nothing.digest = "sha256:12";
  EXPECT_EQ(check({nothing}), "context path \"x\" has no valid digest");
}

TEST(ManifestCheck, limits_are_said_with_the_path_that_passed_them) {
  auto big = file("big");
  big.size = 3 << 20;
  EXPECT_EQ(check({big}, {10, 2 << 20, 100 << 20}),
            "context path \"big\" has 3.0 MiB; the limit for one file is 2.0 MiB\nhint: list it in .earthlyignore, or "
            "raise limits.context_file in the daemon's configuration");
  EXPECT_EQ(
      check({big}, {10, 4 << 20, 2 << 20}),
      "the context has more than 2.0 MiB, which is the limit; it was passed at \"big\"\nhint: list what the build "
      "does not need in .earthlyignore");
  EXPECT_EQ(check({file("a"), file("b")}, {1, 1, 1}),
            "the context has 2 entries; the limit is 1\nhint: list what the build does not need in .earthlyignore");
}

}  // namespace
}  // namespace ingot::store

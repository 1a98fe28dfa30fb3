#include "daemon/graph/definition.h"

#include <gtest/gtest.h>

#include <set>

namespace ingot::graph {
namespace {

const base::Digest kParent = base::Digest::of("parent");

TEST(Definition, is_the_same_for_the_same) {
  ExecOp op;
  op.command = "make";
  op.env = {{"A", "1"}, {"B", "2"}};
  ExecOp reordered = op;
  reordered.env = {{"B", "2"}, {"A", "1"}};
  EXPECT_EQ(definition(op, {kParent}), definition(reordered, {kParent}));
  EXPECT_EQ(definition(ImageOp{"debian"}, {}), definition(ImageOp{"debian"}, {}));
}

// Every field of every operation counts: a change of any one makes another step.
TEST(Definition, differs_in_every_field) {
  std::vector<Operation> operations = {ImageOp{"a"}, ImageOp{"b"}, MakeDirectoryOp{"/a"}, MakeDirectoryOp{"/b"}};
  for (const auto& git :
       {GitOp{"u", "c", "", ""}, GitOp{"v", "c", "", ""}, GitOp{"u", "d", "", ""}, GitOp{"u", "c", "t", ""}}) {
    operations.emplace_back(git);
  }
  auto written = [&](auto change) {
    WriteFileOp op;
    change(op);
    operations.emplace_back(op);
  };
  written([](WriteFileOp&) {});
  written([](WriteFileOp& op) { op.name = "x"; });
  written([](WriteFileOp& op) { op.destination = "x"; });
  written([](WriteFileOp& op) { op.content = "x"; });
  written([](WriteFileOp& op) { op.chown = "x"; });
  written([](WriteFileOp& op) { op.mode = 0600; });
  written([](WriteFileOp& op) { op.destination_is_directory = true; });
  auto exec = [&](auto change) {
    ExecOp op;
    change(op);
    operations.emplace_back(op);
  };
  exec([](ExecOp&) {});
  exec([](ExecOp& op) { op.command = "x"; });
  exec([](ExecOp& op) { op.working_dir = "/x"; });
  exec([](ExecOp& op) { op.user = "x"; });
  exec([](ExecOp& op) { op.no_cache = true; });
  exec([](ExecOp& op) { op.privileged = true; });
  exec([](ExecOp& op) { op.no_network = true; });
  exec([](ExecOp& op) { op.secrets = {{"A", "b"}}; });
  auto mounted = [&](auto change) {
    exec([&](ExecOp& op) {
      Mount mount;
      change(mount);
      op.mounts = {mount};
    });
  };
  mounted([](Mount&) {});
  mounted([](Mount& mount) { mount.kind = Mount::Kind::bind; });
  mounted([](Mount& mount) { mount.target = "/x"; });
  mounted([](Mount& mount) { mount.id = "x"; });
  mounted([](Mount& mount) { mount.sharing = Mount::Sharing::shared; });
  mounted([](Mount& mount) { mount.from = 3; });
  mounted([](Mount& mount) { mount.source = "/x"; });
  mounted([](Mount& mount) { mount.mode = 0; });
  exec([](ExecOp& op) { op.env = {{"A", "B"}}; });
  exec([](ExecOp& op) { op.env = {{"AB", ""}}; });
  auto copy = [&](auto change) {
    CopyOp op;
    change(op);
    operations.emplace_back(op);
  };
  copy([](CopyOp&) {});
  copy([](CopyOp& op) { op.from = 3; });
  copy([](CopyOp& op) { op.sources = {"a", "b"}; });
  copy([](CopyOp& op) { op.sources = {"ab"}; });
  copy([](CopyOp& op) { op.destination = "/a"; });
  copy([](CopyOp& op) { op.destination_is_directory = true; });
  copy([](CopyOp& op) { op.dir = true; });
  copy([](CopyOp& op) { op.if_exists = true; });
  copy([](CopyOp& op) { op.keep_ts = true; });
  copy([](CopyOp& op) { op.keep_own = true; });
  copy([](CopyOp& op) { op.symlink_no_follow = true; });
  copy([](CopyOp& op) { op.chown = "a"; });
  copy([](CopyOp& op) { op.chmod = 0; });
  copy([](CopyOp& op) { op.excluded = {"a"}; });
  copy([](CopyOp& op) { op.excluded = {"a", "b"}; });
  std::set<std::string> seen;
  for (const auto& operation : operations) seen.insert(definition(operation, {kParent}).str());
  EXPECT_EQ(seen.size(), operations.size());
}

TEST(Definition, what_an_input_is_called_in_its_graph_does_not_count) {
  CopyOp one;
  one.from = 1;
  CopyOp two;
  two.from = 2;
  EXPECT_EQ(operation_digest(one), operation_digest(two));
}

TEST(Definition, the_parent_counts) {
  EXPECT_NE(definition(ExecOp{}, {kParent}), definition(ExecOp{}, {base::Digest::of("other")}));
  EXPECT_NE(definition(CopyOp{}, {kParent}), definition(CopyOp{}, {}));
  EXPECT_NE(definition(MakeDirectoryOp{}, {kParent}), definition(MakeDirectoryOp{}, {}));
}

TEST(Definition, by_which_branch_a_commit_was_found_does_not_count) {
  EXPECT_EQ(definition(GitOp{"u", "c", "", "refs/heads/a"}, {}), definition(GitOp{"u", "c", "", "refs/heads/b"}, {}));
}

}  // namespace
}  // namespace ingot::graph

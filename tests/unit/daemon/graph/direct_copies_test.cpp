#include "daemon/graph/direct_copies.h"

#include <gtest/gtest.h>

namespace ingot::graph {
namespace {

CopyOp copy(StepId from, const std::string& source, const std::string& destination) {
  CopyOp op;
  op.from = from;
  op.sources = {source};
  op.destination = destination;
  return op;
}

// Step 0: an image; 1: the file system that is saved; 2: the empty artifacts; 3 and on: what is saved; then the COPY.
class DirectCopies : public testing::Test {
 protected:
  void add(Operation operation, std::optional<StepId> parent) {
    Step step;
    step.operation = std::move(operation);
    step.parent = parent;
    graph.steps.push_back(std::move(step));
  }
  DirectCopies() {
    add(ImageOp{"base"}, std::nullopt);
    add(ExecOp{}, 0);
    add(ImageOp{"scratch"}, std::nullopt);
  }
  void save(const CopyOp& op) { add(op, graph.steps.size() - 1); }
  // Whether the COPY takes the file system itself.
  bool is_direct(const CopyOp& op) {
    Graph changed = graph;
    Step step;
    step.operation = op;
    step.parent = 0;
    changed.steps.push_back(step);
    copy_directly(changed);
    made = std::get<CopyOp>(changed.steps.back().operation);
    return made.from == StepId{1} && made.sources == std::vector<std::string>{"/"};
  }
  Graph graph;
  CopyOp made;
};

TEST_F(DirectCopies, a_whole_file_system_is_taken_from_where_it_is_made) {
  save(copy(1, "/", "/rootfs"));
  ASSERT_TRUE(is_direct(copy(3, "/rootfs", "/build")));
  EXPECT_EQ(made.destination, "/build");
  EXPECT_FALSE(is_direct(copy(3, "/rootfs/etc", "/build"))) << "an absolute link in it would lead elsewhere";
  EXPECT_FALSE(is_direct(copy(3, "/other", "/build")));
  CopyOp named = copy(3, "/rootfs", "/build");
  named.dir = true;
  EXPECT_FALSE(is_direct(named)) << "the directory's name is the artifact's";
}

TEST_F(DirectCopies, owners_and_times_come_along_only_when_both_keep_them) {
  CopyOp saved = copy(1, "/", "/rootfs");
  for (const bool own_saved : {false, true}) {
    for (const bool own_copied : {false, true}) {
      saved.keep_own = own_saved;
      saved.keep_ts = own_copied;
      graph.steps.resize(3);
      save(saved);
      CopyOp taken = copy(3, "/rootfs", "/build");
      taken.keep_own = own_copied;
      taken.keep_ts = own_saved;
      ASSERT_TRUE(is_direct(taken));
      EXPECT_EQ(made.keep_own, own_saved && own_copied);
      EXPECT_EQ(made.keep_ts, own_saved && own_copied);
    }
  }
}

TEST_F(DirectCopies, artifacts_beside_it_do_not_matter_and_those_inside_of_it_do) {
  save(copy(1, "/", "/rootfs"));
  save(copy(1, "/etc/version", "/version"));
  EXPECT_TRUE(is_direct(copy(4, "/rootfs", "/build")));
  save(copy(1, "/etc/more", "/rootfs/etc/more"));
  EXPECT_FALSE(is_direct(copy(5, "/rootfs", "/build")));
}

TEST_F(DirectCopies, what_an_image_has_beside_it_is_not_lost) {
  graph.steps[2].operation = ImageOp{"base"};
  save(copy(1, "/", "/rootfs"));
  EXPECT_FALSE(is_direct(copy(3, "/rootfs", "/build")));
}

TEST_F(DirectCopies, a_part_of_a_file_system_stays_an_artifact) {
  save(copy(1, "/usr", "/rootfs"));
  EXPECT_FALSE(is_direct(copy(3, "/rootfs", "/build"))) << "whether it is there is SAVE ARTIFACT's to say";
}

}  // namespace
}  // namespace ingot::graph

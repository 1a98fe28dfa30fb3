#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/sweep/html.h"
#include "tests/support/temp.h"
#include "tests/support/test_daemon.h"

// The page of a sweep, as a browser reads it.
namespace ingot::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// Names are what people write, and errors what programs say: neither may become part of the page.
proto::Sweep hostile_sweep(std::int64_t created_ms) {
  proto::Sweep sweep;
  sweep.id = "abcdefgh";
  sweep.name = "nightly\"><script>document.title='taken'</script>";
  sweep.axes = {"OS", "V"};
  sweep.state = proto::SweepState::failed;
  sweep.created_ms = created_ms;
  sweep.finished_ms = created_ms + 60'000;
  for (int i = 1; i <= 12; ++i) {
    proto::SweepCell cell;
    cell.number = i;
    cell.values = {{"OS", i % 2 == 0 ? "debian" : "<img src=x onerror=\"document.title='taken'\">"},
                   {"V", "1." + std::to_string((i + 1) / 2)}};
    cell.name = cell.values["OS"] + " " + cell.values["V"];
    cell.target = "+image";
    cell.state = i == 5 ? proto::JobState::failed : proto::JobState::succeeded;
    if (i == 5)
      cell.error =
          proto::Error{proto::ErrorKind::step_failed, "</pre><script>document.title='taken'</script>", "", {}, {}};
    cell.seconds = i;
    cell.bytes = 1000;
    cell.steps = cell.executed = 2;
    cell.job = "job" + std::to_string(i);
    sweep.cells.push_back(cell);
  }
  return sweep;
}

RunResult browse(const TempDirectory& directory, const std::vector<std::string>& how) {
  std::vector<std::string> words = {"chromium",
                                    "--headless",
                                    "--no-sandbox",
                                    "--disable-gpu",
                                    "--disable-dev-shm-usage",
                                    "--user-data-dir=" + (directory.path() / "profile").string()};
  words.insert(words.end(), how.begin(), how.end());
  words.push_back("file://" + (directory.path() / "page.html").string());
  return run_program(words, directory.path(), {}, std::chrono::seconds(120));
}

TEST(SweepPage, is_a_page_whose_grid_and_plots_a_browser_shows_and_nothing_of_others_runs_in_it) {
  TempDirectory directory;
  const auto sweep = hostile_sweep(1'700'000'100'000);
  directory.file("page.html", client::html_report(sweep, {hostile_sweep(1'700'000'000'000)}));
  const auto read = browse(directory, {"--dump-dom"});
  ASSERT_EQ(read.code, 0) << read.err;
  EXPECT_THAT(read.out, AllOf(HasSubstr("What failed"), HasSubstr("Size of all that was made"),
                              Not(HasSubstr("<script")), Not(HasSubstr("<img")), Not(HasSubstr("<title>taken"))));
  EXPECT_EQ(count(read.out, "<span class=\"c "), 24U) << "the grid, and the list of all";
  EXPECT_EQ(count(read.out, "<rect"), 12U);
  EXPECT_EQ(count(read.out, "<circle"), 4U) << "two sweeps in each of two plots";
  const auto drawn =
      browse(directory, {"--window-size=1100,1500", "--screenshot=" + (directory.path() / "page.png").string()});
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_THAT(slurp(directory.path() / "page.png"),
              AllOf(StartsWith("\x89PNG"), testing::SizeIs(testing::Gt(20'000U))));
}

}  // namespace
}  // namespace ingot::test

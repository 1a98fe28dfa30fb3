#include "daemon/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/metrics_text.h"

namespace ingot::base {
namespace {

TEST(Histogram, a_bound_counts_what_is_equal_to_it) {
  Histogram histogram({1, 10});
  for (double value : {0.5, 1.0, 1.1, 10.0, 99.0}) histogram.observe(value);
  EXPECT_EQ(histogram.buckets(), (std::vector<std::uint64_t>{2, 2, 1}));
  EXPECT_DOUBLE_EQ(histogram.sum(), 111.6);
}

TEST(Histogram, loses_nothing_between_threads) {
  Histogram histogram(duration_bounds());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 5000; ++n) histogram.observe(2);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(histogram.buckets()[3], 20'000U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 40'000);
}

TEST(MetricsText, is_what_a_parser_of_the_format_reads) {
  Histogram histogram({0.1, 1});
  histogram.observe(0.05);
  histogram.observe(7);
  MetricsText text;
  text.family(MetricsText::Type::gauge, "a", "Things.").sample(3, {{"kind", "say \"hi\"\n\\"}, {"x", "y"}});
  text.family(MetricsText::Type::counter, "b_total", "More.").sample(18'446'744'073'709'551'615U);
  text.histogram("c_seconds", "Times.", histogram);
  auto samples = test::parse_metrics(text.text());
  EXPECT_EQ(samples.at(R"(a{kind="say \"hi\"\n\\",x="y"})"), 3);
  EXPECT_EQ(samples.at("b_total"), 18'446'744'073'709'551'615.0);
  EXPECT_EQ(samples.at(R"(c_seconds_bucket{le="0.1"})"), 1);
  EXPECT_EQ(samples.at(R"(c_seconds_bucket{le="1"})"), 1);
  EXPECT_EQ(samples.at(R"(c_seconds_bucket{le="+Inf"})"), 2);
  EXPECT_EQ(samples.at("c_seconds_count"), 2);
  EXPECT_DOUBLE_EQ(samples.at("c_seconds_sum"), 7.05);
}

TEST(MetricsText, what_the_parser_must_refuse) {
  for (const char* wrong : {"a 1\n", "# HELP a x\na 1\n", "# HELP a x\n# TYPE a gauge\na{b=c} 1\n",
                            "# HELP a x\n# TYPE a gauge\na 1\na 1\n", "# HELP a x\n# TYPE a counter\na 1\n"}) {
    EXPECT_THROW(test::parse_metrics(wrong), std::runtime_error) << wrong;
  }
}

}  // namespace
}  // namespace ingot::base

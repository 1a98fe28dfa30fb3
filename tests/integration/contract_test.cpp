#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "daemon/api/server.h"
#include "tests/support/source_directory.h"
#include "tests/support/test_daemon.h"

// proto/api.yaml against the daemon: every route of it is served as it says, and there is none besides.
namespace ingot::test {
namespace {

using nlohmann::json;

YAML::Node contract() {
  return YAML::LoadFile(test::source_directory().string() + "/proto/api.yaml");
}

std::set<std::string> documented_routes() {
  std::set<std::string> routes;
  for (const auto& path : contract()["paths"]) {
    for (const auto& method : path.second) {
      std::string name = method.first.as<std::string>();
      if (name == "parameters") continue;
      std::transform(name.begin(), name.end(), name.begin(), ::toupper);
      routes.insert(name + " " + path.first.as<std::string>());
    }
  }
  return routes;
}

TEST(Contract, names_exactly_the_routes_of_the_daemon) {
  std::set<std::string> served;
  for (const auto& route : api::routes()) served.insert(route.method + " " + route.path);
  EXPECT_EQ(served, documented_routes());
}

TEST(Contract, names_every_kind_of_error) {
  std::set<std::string> documented;
  for (const auto& kind : contract()["components"]["schemas"]["Error"]["properties"]["kind"]["enum"]) {
    documented.insert(kind.as<std::string>());
  }
  std::set<std::string> known;
  for (const auto& row : proto::error_kinds()) known.insert(std::string(row.name));
  EXPECT_EQ(documented, known);
}

// The fields of a real answer that its schema does not have, and required ones that the answer lacks.
std::string mismatch(const json& answer, const std::string& schema_name) {
  const YAML::Node schemas = contract()["components"]["schemas"];
  std::set<std::string> allowed;
  std::set<std::string> required;
  std::function<void(const YAML::Node&)> collect = [&](const YAML::Node& schema) {
    if (schema["$ref"]) {
      const auto ref = schema["$ref"].as<std::string>();
      collect(schemas[ref.substr(ref.rfind('/') + 1)]);
    }
    for (const auto& part : schema["allOf"]) collect(part);
    for (const auto& property : schema["properties"]) allowed.insert(property.first.as<std::string>());
    for (const auto& name : schema["required"]) required.insert(name.as<std::string>());
  };
  collect(schemas[schema_name]);
  std::string wrong;
  for (const auto& [name, value] : answer.items()) {
    if (!allowed.contains(name)) wrong += "undocumented field " + name + "\n";
  }
  for (const auto& name : required) {
    if (!answer.contains(name)) wrong += "missing field " + name + "\n";
  }
  return wrong;
}

TEST(Contract, every_route_answers_as_documented) {
  if (geteuid() != 0) GTEST_SKIP() << "the daemon needs root";
  TestDaemon daemon;
  daemon.project_file(
      "Earthfile",
      "VERSION 0.8\na:\n    FROM tiny\n    RUN echo x > /x\n    SAVE ARTIFACT /x\n    SAVE IMAGE x\nbad:\n    FROM "
      "tiny\n    RUN false\n");
  const json built = json::parse(daemon.ingot({"build", "--json", "+a"}).out);
  const std::string job = built["id"];
  const json failed = json::parse(daemon.ingot({"build", "--json", "+bad"}).out);
  auto get = [&](std::vector<std::string> arguments) {
    auto answer = daemon.curl(std::move(arguments));
    EXPECT_EQ(answer.code, 0) << answer.err;
    return json::parse(answer.out);
  };
  const std::string base = "http://ingot/v1";
  EXPECT_EQ(mismatch(get({base + "/version"}), "Version"), "");
  EXPECT_EQ(mismatch(get({base + "/doctor"})["checks"][0], "HostCheck"), "");
  EXPECT_EQ(mismatch(get({"-d", R"({"entries":[]})", base + "/contexts"}), "ContextStatus"), "");
  EXPECT_EQ(mismatch(get({base + "/images"})["images"][0], "ImageInfo"), "");
  EXPECT_EQ(mismatch(get({base + "/blobs/sha256:" + std::string(64, '0')}), "Error"), "");
  EXPECT_EQ(mismatch(get({"-d", "{}", base + "/images/push"}), "Error"), "");
  const std::string digest = get({base + "/images"})["images"][0]["digest"];
  const json push = {{"digest", digest}, {"name", "127.0.0.1:1/x"}};
  std::istringstream news(daemon.curl({"--max-time", "2", "-d", push.dump(), base + "/images/push"}).out);
  int lines = 0;
  for (std::string line; std::getline(news, line); ++lines)
    EXPECT_EQ(mismatch(json::parse(line), "PushNews"), "") << line;
  EXPECT_GT(lines, 1);
  EXPECT_EQ(mismatch(built["from_images"][0], "FromImage"), "");
  EXPECT_EQ(mismatch(get({base + "/cache"}), "CacheUsage"), "");
  EXPECT_EQ(mismatch(get({"-d", R"({"dry_run":true})", base + "/cache/prune"}), "CachePruned"), "");
  const std::string empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  EXPECT_EQ(get({"-X", "PUT", "-d", "", base + "/blobs/" + empty})["digest"], empty);
  EXPECT_EQ(mismatch(get({base + "/jobs?limit=1"})["jobs"][0], "Job"), "");
  const json ended = get({base + "/jobs/" + job});
  EXPECT_EQ(mismatch(ended, "JobAndResults"), "");
  EXPECT_EQ(mismatch(ended["artifacts"][0], "Artifact"), "");
  EXPECT_EQ(mismatch(ended["images"][0], "JobImage"), "");
  EXPECT_EQ(mismatch(get({base + "/jobs/" + failed["id"].get<std::string>()}), "JobAndResults"), "");
  EXPECT_EQ(mismatch(get({"-X", "POST", base + "/jobs/" + job + "/retry"}), "Job"), "");
  EXPECT_EQ(mismatch(get({"-X", "POST", base + "/jobs/" + job + "/cancel"}), "Error"), "");
  EXPECT_EQ(mismatch(get({base + "/jobs/" + job + "/steps"})["steps"][0], "StepReport"), "");
  const json plan = get({"-d", json{{"context", built["context"]}, {"target", "+a"}}.dump(), base + "/plan"});
  EXPECT_EQ(mismatch(plan, "Plan"), "");
  EXPECT_EQ(mismatch(plan["steps"][0], "PlanStep"), "");
  EXPECT_EQ(mismatch(plan["results"][0], "PlanResult"), "");
  EXPECT_EQ(mismatch(get({base + "/jobs/" + job + "/artifacts"})["artifacts"][0], "Artifact"), "");
  const json sweep = {{"name", "s"},
                      {"job", {{"context", built["context"]}, {"target", "+a"}}},
                      {"cells", {{{"name", "one"}, {"target", "+bad"}}}}};
  EXPECT_EQ(mismatch(get({"-d", sweep.dump(), base + "/sweeps/forecast"})["cells"][0], "CellForecast"), "");
  const json submitted = get({"-d", sweep.dump(), base + "/sweeps"});
  EXPECT_EQ(mismatch(submitted, "Sweep"), "");
  const std::string swept = base + "/sweeps/" + submitted["id"].get<std::string>();
  EXPECT_EQ(daemon.ingot({"sweep", "wait", submitted["id"]}).code, 1);
  const json whole = get({swept});
  EXPECT_EQ(mismatch(whole, "Sweep"), "");
  EXPECT_EQ(mismatch(whole["cells"][1], "SweepCell"), "");
  EXPECT_EQ(mismatch(get({base + "/sweeps"})["sweeps"][0], "Sweep"), "");
  EXPECT_EQ(mismatch(get({"-X", "POST", swept + "/cancel"}), "Error"), "");
  EXPECT_EQ(mismatch(get({"-X", "POST", swept + "/retry?failed=true"}), "Sweep"), "");
  const json removed = get({"-X", "DELETE", base + "/jobs/" + job + "/artifacts/1"});
  EXPECT_EQ(mismatch(removed, "Artifact"), "");
  EXPECT_GT(removed["removed_ms"], 0);
  EXPECT_EQ(mismatch(get({base + "/jobs/" + job + "/artifacts/1"}), "Error"), "");
  EXPECT_EQ(mismatch(get({base + "/jobs/none"}), "Error"), "");
  std::istringstream events(daemon.curl({base + "/jobs/" + failed["id"].get<std::string>() + "/events"}).out);
  std::size_t seq = 0;
  for (std::string line; std::getline(events, line); ++seq) {
    const json event = json::parse(line);
    EXPECT_EQ(mismatch(event, "Event"), "") << line;
    EXPECT_EQ(event["seq"], seq);
  }
  EXPECT_GT(seq, 4U);
  daemon.stop();
  EXPECT_EQ(daemon.leftovers(), "");
}

}  // namespace
}  // namespace ingot::test

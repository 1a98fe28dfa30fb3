#include "daemon/image/images.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "daemon/base/clock.h"
#include "daemon/base/glob.h"
#include "daemon/image/reference.h"
#include "daemon/image/source.h"
#include "proto/codec.h"
#include "proto/fields.h"

namespace ingot::image {

using base::fail;

namespace {

bool matches(const SourceRule& rule, const Reference& reference) {
  // A lone "*" means everything, slashes included.
  if (rule.match == "*") return true;
  for (const auto& name : {reference.familiar(), reference.familiar_name(), reference.full()}) {
    if (base::glob_match(rule.match, name)) return true;
  }
  // "registry.example/*" covers every depth below.
  return rule.match.ends_with("/*") && reference.familiar().starts_with(rule.match.substr(0, rule.match.size() - 1));
}

std::string encode_config(const graph::ImageConfig& config) {
  nlohmann::json env = nlohmann::json::array();
  for (const auto& [name, value] : config.env) env.push_back(name + "=" + value);
  nlohmann::json labels = nlohmann::json::object();
  for (const auto& [name, value] : config.labels) labels[name] = value;
  return proto::dump({{"env", env},
                      {"working_dir", config.working_dir},
                      {"user", config.user},
                      {"entrypoint", config.entrypoint},
                      {"cmd", config.cmd},
                      {"labels", labels}});
}

Result<graph::ImageConfig> decode_config(const std::string& text) {
  INGOT_TRY(auto body, proto::parse_json(text));
  graph::ImageConfig config;
  std::vector<std::string> env;
  std::map<std::string, std::string> labels;
  proto::Fields fields(body, "kept image config");
  fields.read("env", env);
  fields.read("working_dir", config.working_dir);
  fields.read("user", config.user);
  fields.read("entrypoint", config.entrypoint);
  fields.read("cmd", config.cmd);
  fields.read("labels", labels);
  INGOT_CHECK(fields.done());
  for (const auto& pair : env) {
    const std::size_t equals = pair.find('=');
    config.env.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  config.labels.assign(labels.begin(), labels.end());
  return config;
}

}  // namespace

struct Images::State {
  store::fs::path work_directory;
  store::SnapshotStore& snapshots;
  db::Database& database;
  sys::ProcessRunner& processes;

  // One fetch that is under way, on a thread of its own, for everybody who waits for it.
  struct Flight {
    sys::CancelSource cancel;
    int waiters = 0;
    bool done = false;
    std::optional<Result<Image>> result;
    std::vector<std::string> lines;  // progress so far, for those who join late
  };

  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  std::vector<SourceRule> rules;
  std::map<std::string, std::shared_ptr<Flight>> flights;
  int active = 0;  // threads of flights, given-up ones too

  State(std::vector<SourceRule> given, store::fs::path work, store::SnapshotStore& store, db::Database& db,
        sys::ProcessRunner& runner)
      : work_directory(std::move(work)), snapshots(store), database(db), processes(runner), rules(std::move(given)) {}

  // What a kept image is found by: the rule with its options, and the name.
  static std::string key_of(const SourceRule& rule, const Reference& reference) {
    std::string key = rule.kind + " " + reference.full();
    for (const auto& [name, value] : rule.options) key += " " + name + "=" + value;
    return key;
  }

  Result<std::optional<Image>> find_kept(const std::string& key);
  Status keep(const std::string& key, const Image& image);
  Result<Image> try_sources(const Reference& reference, const std::vector<SourceRule>& matching, Flight& flight);
  Result<Image> from_source(const Reference& reference, const SourceRule& rule, Flight& flight);
  Result<Image> wait(const std::shared_ptr<Flight>& flight, const Progress& progress, const sys::CancelToken& cancel);
};

Result<std::optional<Image>> Images::State::find_kept(const std::string& key) {
  std::optional<Image> image;
  INGOT_CHECK(database.read([&]() -> Status {
    INGOT_TRY(auto query, database.prepare("SELECT reference, source, snapshot, config FROM images WHERE key = ?"));
    INGOT_TRY(bool found, query.bind(1, key).step());
    if (!found) return {};
    image.emplace();
    image->reference = query.text(0);
    image->source = query.text(1);
    image->snapshot = query.number(2);
    INGOT_TRY(image->config, decode_config(query.text(3)));
    return {};
  }));
  return image;
}

Status Images::State::keep(const std::string& key, const Image& image) {
  return database.transaction([&]() -> Status {
    INGOT_TRY(auto insertion,
              database.prepare("INSERT INTO images (key, reference, source, snapshot, config, created_ms) "
                               "VALUES (?, ?, ?, ?, ?, ?)"));
    insertion.bind(1, key).bind(2, image.reference).bind(3, image.source).bind(4, image.snapshot);
    return insertion.bind(5, encode_config(image.config)).bind(6, base::system_clock().unix_ms()).run();
  });
}

Result<Image> Images::State::from_source(const Reference& reference, const SourceRule& rule, Flight& flight) {
  const std::string key = key_of(rule, reference);
  INGOT_TRY(auto kept, find_kept(key));
  if (kept) return *kept;
  Source source = find_source(rule.kind);
  if (source == nullptr) return fail(ErrorKind::invalid, "there is no source of kind \"" + rule.kind + "\"");
  const Progress progress = [&](const std::string& line) {
    std::lock_guard lock(mutex);
    flight.lines.push_back(line);
    changed.notify_all();
  };
  const sys::CancelToken cancel = flight.cancel.token();
  INGOT_TRY(auto fetched, source(Fetch{reference, rule, work_directory, snapshots, processes, progress, cancel}));
  Image image{reference.familiar(), fetched.snapshot, std::move(fetched.config), std::move(fetched.source)};
  INGOT_CHECK(keep(key, image));
  return image;
}

Result<Image> Images::State::try_sources(const Reference& reference, const std::vector<SourceRule>& matching,
                                         Flight& flight) {
  Error error;
  error.kind = ErrorKind::not_found;
  error.message = "cannot get image \"" + reference.familiar() + "\"";
  error.hint = "map the name to a source in `images` of the daemon's configuration, then send it SIGHUP";
  for (const auto& rule : matching) {
    auto image = from_source(reference, rule, flight);
    if (image) return image;
    if (image.error().kind == ErrorKind::canceled || image.error().kind == ErrorKind::no_space) {
      return fail(image.error());
    }
    error.context.push_back(fmt::format("{} (rule \"{}\"): {}", rule.kind, rule.match, image.error().message));
    if (!image.error().hint.empty()) error.context.push_back("  " + image.error().hint);
  }
  if (matching.empty()) error.context.emplace_back("no rule of `images` matches the name");
  return fail(std::move(error));
}

// Each waiter prints the progress on its own thread, and may leave; the last one that leaves ends the fetch.
Result<Image> Images::State::wait(const std::shared_ptr<Flight>& flight, const Progress& progress,
                                  const sys::CancelToken& cancel) {
  constexpr auto kCancelPoll = std::chrono::milliseconds(100);
  std::size_t told = 0;
  std::unique_lock lock(mutex);
  while (true) {
    while (told < flight->lines.size()) {
      const std::string line = flight->lines[told++];
      lock.unlock();
      progress(line);
      lock.lock();
    }
    if (flight->done) break;
    if (cancel.canceled()) {
      if (--flight->waiters == 0) flight->cancel.cancel();
      return fail(ErrorKind::canceled, "canceled");
    }
    changed.wait_for(lock, kCancelPoll);
  }
  --flight->waiters;
  return *flight->result;
}

Images::Images(std::vector<SourceRule> rules, const store::fs::path& work_directory, store::SnapshotStore& snapshots,
               db::Database& database, sys::ProcessRunner& processes)
    : state_(std::make_unique<State>(std::move(rules), work_directory, snapshots, database, processes)) {}

Images::~Images() {
  std::unique_lock lock(state_->mutex);
  for (auto& [key, flight] : state_->flights) flight->cancel.cancel();
  state_->changed.wait(lock, [&] { return state_->active == 0; });
}

void Images::set_rules(std::vector<SourceRule> rules) {
  std::lock_guard lock(state_->mutex);
  state_->rules = std::move(rules);
}

Result<Image> Images::resolve(const std::string& text, const Progress& progress, const sys::CancelToken& cancel) {
  INGOT_TRY(auto reference, parse_reference(text));
  std::vector<SourceRule> matching;
  {
    std::lock_guard lock(state_->mutex);
    for (const auto& rule : state_->rules) {
      if (matches(rule, reference)) matching.push_back(rule);
    }
  }
  if (!matching.empty()) {
    INGOT_TRY(auto kept, state_->find_kept(State::key_of(matching.front(), reference)));
    if (kept) return *kept;
  }
  std::shared_ptr<State::Flight> flight;
  {
    std::lock_guard lock(state_->mutex);
    auto& slot = state_->flights[reference.full()];
    // A flight that its last waiter gave up is ending; this one starts its own under the same name.
    if (!slot || slot->cancel.token().canceled()) {
      slot = std::make_shared<State::Flight>();
      ++state_->active;
      std::thread([state = state_.get(), reference, matching, started = slot] {
        auto result = state->try_sources(reference, matching, *started);
        std::lock_guard guard(state->mutex);
        started->result = std::move(result);
        started->done = true;
        --state->active;
        auto found = state->flights.find(reference.full());
        if (found != state->flights.end() && found->second == started) state->flights.erase(found);
        state->changed.notify_all();
      }).detach();
    }
    flight = slot;
    ++flight->waiters;
  }
  return state_->wait(flight, progress, cancel);
}

}  // namespace ingot::image

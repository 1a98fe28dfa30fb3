#include "daemon/image/images.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "daemon/image/kept_images.h"
#include "daemon/image/reference.h"
#include "daemon/image/rules.h"
#include "daemon/image/source.h"

namespace ingot::image {

using base::fail;
using proto::PullPolicy;

namespace {

constexpr const char* kScratch = "scratch";

// What one waits for: an image by the rules that were in force when it was asked for.
struct Wanted {
  Reference reference;
  std::vector<SourceRule> rules;
  bool ask = false;  // the source, whatever is kept
  base::Platform platform;
  std::string key() const { return key_of(rules, reference, platform) + (ask ? "\nask" : ""); }
  // What an image that came by this rule is kept under.
  std::string key_by(std::size_t rule) const {
    return key_of({rules.begin(), rules.begin() + static_cast<std::ptrdiff_t>(rule) + 1}, reference, platform);
  }
  // As people are told of it.
  std::string shown() const {
    const std::string foreign = base::foreign_platform(platform);
    return "image \"" + reference.familiar() + "\"" + (foreign.empty() ? "" : " for " + foreign);
  }
};

std::string line_for(const SourceRule& rule, const Error& error) {
  return fmt::format("{} (rule \"{}\"): {}{}{}", rule.kind, rule.match, error.message, error.hint.empty() ? "" : "; ",
                     error.hint);
}

}  // namespace

struct Images::State {
  // A fetch that is under way, on a thread of its own, for everybody who waits for it. Guarded by `mutex`, but for
  // the switch.
  struct Flight {
    sys::CancelSource cancel;
    int waiters = 0;
    std::optional<Result<Image>> result;  // set at the end
    std::vector<std::string> lines;       // progress so far, for those who join late
  };

  store::fs::path work_directory;
  const store::BlobStore& blobs;
  store::SnapshotStore& snapshots;
  db::Database& database;
  sys::ProcessRunner& processes;
  KeptImages kept;
  std::atomic<std::uint64_t> fetched_bytes = 0;

  std::mutex mutex;  // guards all below
  std::condition_variable changed;
  std::vector<SourceRule> rules;
  std::map<std::string, std::shared_ptr<Flight>> flights;  // by Wanted::key
  int active = 0;                                          // threads of flights, given-up ones too

  State(std::vector<SourceRule> given, store::fs::path work, const store::BlobStore& blob_store,
        store::SnapshotStore& store, db::Database& rows, sys::ProcessRunner& runner)
      : work_directory(std::move(work)),
        blobs(blob_store),
        snapshots(store),
        database(rows),
        processes(runner),
        kept(rows, store),
        rules(std::move(given)) {}

  Result<std::optional<Image>> find_kept(const Wanted& wanted) const;
  Result<Image> scratch();
  Result<Image> fetch(const Wanted& wanted, Flight& flight);
  Result<Image> fetch_from(const Wanted& wanted, std::size_t rule, Flight& flight);
  Result<std::shared_ptr<Flight>> join(const Wanted& wanted);
  void start(const Wanted& wanted, const std::shared_ptr<Flight>& flight);
  void land(const std::string& key, const std::shared_ptr<Flight>& flight, Result<Image> result);
  Result<Image> wait(Flight& flight, const Progress& progress, const sys::CancelToken& cancel);
};

Result<std::optional<Image>> Images::State::find_kept(const Wanted& wanted) const {
  for (std::size_t rule = 0; rule < wanted.rules.size(); ++rule) {
    INGOT_TRY(auto image, kept.find(wanted.key_by(rule)));
    if (image) return image;
  }
  return std::optional<Image>();
}

// No source has it, and nothing is run for it.
Result<Image> Images::State::scratch() {
  INGOT_TRY(auto found, kept.find(kScratch));
  if (found) return *found;
  INGOT_TRY(auto layer, snapshots.begin(std::nullopt));
  INGOT_TRY(auto lease, snapshots.commit(std::move(layer)));
  return kept.keep(kScratch, {kScratch, lease.id(), {}, kScratch, "", lease}, KeptImages::Conflict::first_stays);
}

Result<Image> Images::State::fetch_from(const Wanted& wanted, std::size_t index, Flight& flight) {
  const SourceRule& rule = wanted.rules[index];
  const Source source = find_source(rule.kind);
  if (source == nullptr) return fail(ErrorKind::invalid, "there is no source of kind \"" + rule.kind + "\"");
  const Progress progress = [&](const std::string& line) {
    std::lock_guard lock(mutex);
    flight.lines.push_back(line);
    changed.notify_all();
  };
  const sys::CancelToken cancel = flight.cancel.token();
  const std::string key = wanted.key_by(index);
  std::optional<Image> known;
  if (wanted.ask) {
    INGOT_TRY(known, kept.find(key));
  }
  const auto hold = blobs.ledger().hold();  // until the rows are written that refer to the layers' blobs
  INGOT_TRY(auto fetched, source(Fetch{wanted.reference, rule, work_directory, blobs, snapshots, database, processes,
                                       progress, cancel, known ? known->digest : "", wanted.platform}));
  if (fetched.unchanged && known) return *known;
  if (auto bytes = snapshots.chain_bytes(fetched.snapshot.id())) fetched_bytes += *bytes;
  if (fetched.digest.empty()) {
    INGOT_TRY(auto content, snapshots.content_digest(fetched.snapshot.id()));
    fetched.digest = content.str();
  }
  return kept.keep(key,
                   {wanted.reference.familiar(), fetched.snapshot.id(), std::move(fetched.config),
                    std::move(fetched.source), std::move(fetched.digest), fetched.snapshot},
                   wanted.ask ? KeptImages::Conflict::last_wins : KeptImages::Conflict::first_stays);
}

Result<Image> Images::State::fetch(const Wanted& wanted, Flight& flight) {
  // An earlier flight may have landed while this one was made ready.
  if (!wanted.ask) {
    INGOT_TRY(auto found, find_kept(wanted));
    if (found) return *found;
  }
  Error error;
  error.kind = ErrorKind::not_found;
  error.message = "cannot get " + wanted.shown();
  error.hint = "map the name to a source in `images` of the daemon's configuration, then send it SIGHUP";
  for (std::size_t i = 0; i < wanted.rules.size(); ++i) {
    auto image = fetch_from(wanted, i, flight);
    if (image) return image;
    // No other source would do better.
    if (flight.cancel.token().canceled()) return fail(ErrorKind::canceled, "canceled");
    if (image.error().kind == ErrorKind::no_space) return image;
    error.context.push_back(line_for(wanted.rules[i], image.error()));
  }
  if (wanted.rules.empty()) error.context.emplace_back("no rule of `images` matches the name");
  return fail(std::move(error));
}

void Images::State::start(const Wanted& wanted, const std::shared_ptr<Flight>& flight) {
  std::thread([this, wanted, flight] {
    Result<Image> result = fail(ErrorKind::internal, "the fetch ended without a result");
    try {
      result = fetch(wanted, *flight);
    } catch (const std::exception& error) {
      result = fail(ErrorKind::internal, "fetching " + wanted.reference.familiar() + " failed: " + error.what());
    }
    land(wanted.key(), flight, std::move(result));
  }).detach();
}

// The last that a flight's thread does with this object, which waits for it before it goes.
void Images::State::land(const std::string& key, const std::shared_ptr<Flight>& flight, Result<Image> result) {
  std::lock_guard lock(mutex);
  flight->result = std::move(result);
  auto found = flights.find(key);
  if (found != flights.end() && found->second == flight) flights.erase(found);
  --active;
  changed.notify_all();
}

Result<std::shared_ptr<Images::State::Flight>> Images::State::join(const Wanted& wanted) {
  std::lock_guard lock(mutex);
  auto& slot = flights[wanted.key()];
  // A flight that its last waiter gave up is ending; this one starts its own under the same name.
  if (!slot || slot->cancel.token().canceled()) {
    slot = std::make_shared<Flight>();
    try {
      start(wanted, slot);
    } catch (const std::system_error& error) {
      flights.erase(wanted.key());
      return fail(ErrorKind::unavailable, std::string("cannot start a thread for the fetch: ") + error.what());
    }
    ++active;
  }
  ++slot->waiters;
  return slot;
}

// Each waiter tells the progress on its own thread, and may leave; the last one that leaves ends the fetch.
Result<Image> Images::State::wait(Flight& flight, const Progress& progress, const sys::CancelToken& cancel) {
  constexpr auto kCancelPoll = std::chrono::milliseconds(100);
  std::size_t told = 0;
  std::unique_lock lock(mutex);
  while (true) {
    while (told < flight.lines.size()) {
      const std::string line = flight.lines[told++];
      lock.unlock();
      progress(line);
      lock.lock();
    }
    if (flight.result) break;
    if (cancel.canceled()) {
      if (--flight.waiters == 0) flight.cancel.cancel();
      return fail(ErrorKind::canceled, "canceled");
    }
    if (cancel.can_cancel())
      changed.wait_for(lock, kCancelPoll);
    else
      changed.wait(lock);
  }
  --flight.waiters;
  return *flight.result;
}

Images::Images(std::vector<SourceRule> rules, const store::fs::path& work_directory, const store::BlobStore& blobs,
               store::SnapshotStore& snapshots, db::Database& database, sys::ProcessRunner& processes)
    : state_(std::make_unique<State>(std::move(rules), work_directory, blobs, snapshots, database, processes)) {}

Images::~Images() {
  std::unique_lock lock(state_->mutex);
  for (auto& [key, flight] : state_->flights) flight->cancel.cancel();
  state_->changed.wait(lock, [&] { return state_->active == 0; });
}

void Images::set_rules(std::vector<SourceRule> rules) {
  std::lock_guard lock(state_->mutex);
  state_->rules = std::move(rules);
}

std::uint64_t Images::fetched_bytes() const {
  return state_->fetched_bytes;
}

std::optional<SourceRule> Images::registry_rule(const std::string& reference) const {
  auto name = parse_reference(reference);
  if (!name) return std::nullopt;
  std::lock_guard lock(state_->mutex);
  for (const auto& rule : matching_rules(state_->rules, *name)) {
    if (rule.kind == "registry") return rule;
  }
  return std::nullopt;
}

Result<Image> Images::resolve(const std::string& text, const Progress& progress, const sys::CancelToken& cancel,
                              PullPolicy policy, const base::Platform& platform) {
  if (text == kScratch) return state_->scratch();
  Wanted wanted;
  INGOT_TRY(wanted.reference, parse_reference(text));
  wanted.platform = platform;
  {
    std::lock_guard lock(state_->mutex);
    wanted.rules = matching_rules(state_->rules, wanted.reference);
  }
  // A digest means the same for ever.
  wanted.ask = policy == PullPolicy::always && wanted.reference.digest.empty();
  if (!wanted.ask) {
    INGOT_TRY(auto found, state_->find_kept(wanted));
    if (found) return *found;
  }
  if (policy == PullPolicy::never) {
    return fail(ErrorKind::not_found, wanted.shown() + " is not kept here, and this job may fetch none: --pull never",
                "let it be fetched once by a build with --pull missing");
  }
  INGOT_TRY(auto flight, state_->join(wanted));
  return state_->wait(*flight, progress, cancel);
}

}  // namespace ingot::image

#include "daemon/earthfile/strands.h"

#include <exception>
#include <system_error>

namespace ingot::earthfile {

Status Strands::guarded(const std::function<Status()>& work) try {
  return work();
} catch (const std::exception& error) {
  return base::fail(ErrorKind::internal, std::string("interpreting the Earthfile failed: ") + error.what());
}

Strands::Strands() {
  current_ = &strands_.emplace_back();
  current_->turn = std::unique_lock(turn_);
}

Strands::~Strands() {
  strands_.front().turn.unlock();
}

Rank Strands::next_rank() {
  Rank rank = current_->rank;
  rank.push_back(current_->next_rank++);
  return rank;
}

void Strands::let_go(Strand& strand) {
  if (strand.let_go) return;
  strand.let_go = true;
  strand.has_let_go.notify_all();
}

Status Strands::begin(const std::function<Status()>& work, const std::function<void(Error)>& late) {
  join_ended();
  Strand& own = *current_;
  Strand& other = strands_.emplace_back();
  other.rank = next_rank();
  other.under_way = own.under_way;
  for (auto& recipe : other.under_way) {
    recipe.frame = nullptr;
    recipe.commands = nullptr;
  }
  try {
    other.thread = std::thread([this, &other, work, late] { run(other, work, late); });
  } catch (const std::system_error&) {
    strands_.pop_back();
    return work();
  }
  ++alive_;
  other.has_let_go.wait(own.turn, [&] { return other.let_go; });
  current_ = &own;
  return std::move(other.result);
}

void Strands::run(Strand& strand, const std::function<Status()>& work, const std::function<void(Error)>& late) {
  strand.turn = std::unique_lock(turn_);
  current_ = &strand;
  Status result = guarded(work);
  const bool is_late = strand.let_go;
  if (!is_late) {
    strand.result = std::move(result);
  } else if (!result) {
    late(std::move(result.error()));
  }
  strand.under_way = {};
  ended_.push_back(&strand);
  --alive_;
  let_go(strand);
  changed_.notify_all();
  strand.turn.unlock();
}

void Strands::join() {
  Strand& own = *current_;
  changed_.wait(own.turn, [&] { return alive_ == 0; });
  current_ = &own;
  join_ended();
}

// They have the turn no more: each only leaves its thread.
void Strands::join_ended() {
  for (Strand* strand : ended_) strand->thread.join();
  ended_.clear();
}

bool Strands::wait_for(const Strand& other, const std::function<bool()>& done) {
  Strand& own = *current_;
  for (const Strand* at = &other; at != nullptr; at = at->waits_for) {
    if (at == &own) return false;
  }
  own.waits_for = &other;
  let_go(own);
  changed_.wait(own.turn, done);
  own.waits_for = nullptr;
  current_ = &own;
  return true;
}

Strands::Pause::Pause(Strands& strands) : strands_(strands), strand_(*strands.current_) {
  strands.let_go(strand_);
  strand_.turn.unlock();
}

Strands::Pause::~Pause() {
  strand_.turn.lock();
  strands_.current_ = &strand_;
}

}  // namespace ingot::earthfile

#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/earthfile/ast.h"
#include "daemon/earthfile/rank.h"

namespace ingot::earthfile {

struct Frame;

// A recipe that is being interpreted.
struct RecipeUnderWay {
  std::string name;                                // "+target", "./directory+target" or a function's
  std::string context;                             // what an error of it says of the way there; empty: nothing
  const Frame* frame = nullptr;                    // null: none of what is seen ahead of it is interpreted early
  const std::vector<Command>* commands = nullptr;  // the same
  std::size_t next = 0;                            // of these, behind the one that is interpreted now
  bool has_looked_ahead = false;
};

// Recipes that are interpreted side by side, each strand by a thread of its own. One of them has the turn, so that what
// they share needs no other guard; it gives the turn away while it waits for the world. A new strand has the turn at
// once, and who began it goes on when that one waits or has ended: where nothing waits, all is done in the order of the
// recipe.
class Strands {
 public:
  struct Strand {
    std::vector<RecipeUnderWay> under_way;  // outermost first; what the strand's beginner had under way is among it
    bool left_open = false;                 // it met a question that nothing may run for

   private:
    friend class Strands;
    std::thread thread;
    std::unique_lock<std::mutex> turn;
    bool let_go = false;                 // it waited, or it ended
    std::condition_variable has_let_go;  // its beginner alone waits for that
    Status result;                       // of one that ended without waiting
    const Strand* waits_for = nullptr;   // another one's doing
    Rank rank;
    std::size_t next_rank = 0;  // of what the strand does, and of those it begins
  };

  Strands();   // the calling thread has the turn, and is the first strand
  ~Strands();  // on that thread; all others have been joined
  Strands(const Strands&) = delete;
  Strands& operator=(const Strands&) = delete;

  Strand& current() { return *current_; }
  // Of what the current strand does now, behind all that it did before.
  Rank next_rank();
  // Whether there may be one more strand: each is a thread.
  bool has_room() const { return alive_ < kMost; }
  // What `work` comes to, if it ends without waiting; otherwise all is well so far, and `late` is told of its end. A
  // host that has no thread left has the current strand do it.
  Status begin(const std::function<Status()>& work, const std::function<void(Error)>& late);
  // Until all others have ended.
  void join();
  // An exception, which is a defect's, as an error: strands must be joined before what they work on goes.
  static Status guarded(const std::function<Status()>& work);

  // Gives the turn away while `wait` waits.
  template <typename Wait>
  auto aside(Wait wait) {
    const Pause pause(*this);
    return wait();
  }
  // Until `done`, which is another strand's doing. False: that one waits for this one in turn, so it would be for ever.
  bool wait_for(const Strand& other, const std::function<bool()>& done);
  // Others may wait for what has changed.
  void tell() { changed_.notify_all(); }

 private:
  static constexpr unsigned kMost = 64;

  class Pause {
   public:
    explicit Pause(Strands& strands);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Strands& strands_;
    Strand& strand_;
  };
  void let_go(Strand& strand);
  void join_ended();
  void run(Strand& strand, const std::function<Status()>& work, const std::function<void(Error)>& late);

  std::mutex turn_;
  std::condition_variable changed_;  // for who waits for what others do, and for the last to end
  std::deque<Strand> strands_;       // ended ones too: others may still point to them
  std::vector<Strand*> ended_;       // whose threads are still to be joined
  Strand* current_ = nullptr;
  unsigned alive_ = 0;
};

}  // namespace ingot::earthfile

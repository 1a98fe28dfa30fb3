#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/crash/world.h"

namespace ingot::test {

// What has to be there, by what was acknowledged.
struct Model {
  std::set<int> steps;
  std::set<int> images;
  std::set<int> contexts;
  std::set<int> jobs;
  std::map<int, std::set<int>> removed;  // artifacts that may be gone
  std::set<int> held;
  int next_job = 1;

  void know_step(int number) {
    for (; number > 0; number /= 2) steps.insert(number);
    steps.insert(0);
  }
  // Everything that may be gone when a collection has begun.
  void may_lose_layers() {
    std::set<int> sure;
    for (int number : held) {
      for (; number > 0; number /= 2) sure.insert(number);
      sure.insert(0);
    }
    std::erase_if(steps, [&](int number) { return !sure.contains(number); });
    images.clear();
  }
  void keep_contexts_of_jobs() {
    contexts.clear();
    for (int job : jobs) contexts.insert(World::context_of(job));
  }

  // Told once an operation was begun, and once more when it was done.
  void begin(const std::string& what, std::istringstream& in) {
    int number = 0;
    int second = 0;
    in >> number >> second;
    if (what == "job") next_job = std::max(next_job, number + 1);
    if (what == "remove") removed[number].insert(second);
    if (what == "prune") may_lose_layers();
    if (what == "sweep") keep_contexts_of_jobs();
    if (what == "retire") jobs.clear();
    if (what == "release" || what == "restart") held.clear();
  }
  void done(const std::string& what, std::istringstream& in) {
    int number = 0;
    int second = 0;
    in >> number >> second;
    if (what == "step") know_step(number);
    if (what == "context") contexts.insert(number);
    if (what == "image") {
      images.insert(number);
      know_step(second);
    }
    if (what != "job") return;
    jobs.insert(number);
    contexts.insert(World::context_of(number));
    if (const auto image = World::image_of(number)) know_step(*image);
  }
  void left(const std::string& what, std::istringstream& in) {
    std::set<int>& there = what == "steps" ? steps : what == "images" ? images : jobs;
    std::set<int> must = std::move(there);
    there.clear();
    for (int number = 0; in >> number;) there.insert(number);
    for (int number : must) EXPECT_TRUE(there.contains(number)) << what << ": " << number << " was not to go";
  }
  void read(const std::string& journal) {
    std::istringstream lines(journal);
    std::string begun;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream in(line);
      std::string word;
      in >> word;
      if (word == "begin") {
        begun = line.substr(6);
        std::istringstream rest(begun);
        rest >> word;
        begin(word, rest);
      } else if (word == "done" || word == "held") {
        std::istringstream rest(begun);
        std::string what;
        rest >> what;
        int number = 0;
        if (word == "done") {
          done(what, rest);
        } else if (rest >> number) {
          held.insert(number);
        }
      } else if (word == "failed") {
        ADD_FAILURE() << line;
      } else if (word != "not" && word != "calls") {
        left(word, in);
      }
    }
  }
};

}  // namespace ingot::test

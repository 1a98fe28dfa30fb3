#include "daemon/store/accounts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "daemon/base/strings.h"

namespace ingot::store {

namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows read_rows(const sys::RootedDir& root, const std::string& path) {
  Rows rows;
  auto fd = root.open_path(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return rows;
  std::string text(1 << 20, '\0');
  ssize_t got = read(fd->get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  for (const auto& line : base::split(text, '\n')) rows.push_back(base::split(line, ':'));
  return rows;
}

std::optional<unsigned> number(const std::string& text) {
  constexpr unsigned kNobody = ~0U;  // chown takes it as "leave as it is"
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == kNobody) return std::nullopt;
  return value;
}

// The row whose name or number (third field) is `key`. A row without a number is none: it must not pass for root's.
const std::vector<std::string>* find_row(const Rows& rows, const std::string& key) {
  auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) {
    return row.size() >= 3 && number(row[2]) && (row[0] == key || row[2] == key);
  });
  return found == rows.end() ? nullptr : &*found;
}

tl::unexpected<Error> unknown(const std::string& what, const std::string& name, const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) {
    if (row.size() >= 3) names.push_back(row[0]);
  }
  std::string hint = base::did_you_mean(name, names);
  if (hint.empty()) hint = "add it in a RUN, or take a number";
  return base::fail(ErrorKind::not_found, "the image has no " + what + " \"" + name + "\"", std::move(hint));
}

}  // namespace

Result<Account> find_account(const sys::RootedDir& root, const std::string& spec) {
  Account account;
  const std::size_t colon = spec.find(':');
  const std::string user = spec.substr(0, colon);
  const Rows users = read_rows(root, "/etc/passwd");
  const Rows groups = read_rows(root, "/etc/group");
  const std::string wanted = user.empty() ? "0" : user;
  std::string user_name;
  if (const auto* row = find_row(users, wanted)) {
    user_name = (*row)[0];
    account.uid = number((*row)[2]).value_or(0);
    if (row->size() > 3) account.gid = number((*row)[3]).value_or(0);
    if (row->size() > 5 && !(*row)[5].empty()) account.home = (*row)[5];
  } else if (auto uid = number(wanted)) {
    account.uid = *uid;
    if (*uid == 0) account.home = "/root";
  } else {
    return unknown("user", user, users);
  }
  if (colon != std::string::npos) {
    const std::string group = spec.substr(colon + 1);
    if (const auto* row = find_row(groups, group))
      account.gid = number((*row)[2]).value_or(0);
    else if (auto gid = number(group))
      account.gid = *gid;
    else
      return unknown("group", group, groups);
    return account;
  }
  for (const auto& row : groups) {
    if (row.size() < 4 || user_name.empty()) continue;
    auto members = base::split(row[3], ',');
    if (std::find(members.begin(), members.end(), user_name) == members.end()) continue;
    if (auto gid = number(row[2]); gid && *gid != account.gid) account.groups.push_back(*gid);
  }
  return account;
}

}  // namespace ingot::store

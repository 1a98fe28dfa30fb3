#include "client/locally/local_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "client/fetch/unpack_tar.h"
#include "daemon/base/glob.h"
#include "daemon/base/strings.h"
#include "daemon/sys/file_bytes.h"
#include "daemon/sys/files.h"
#include "daemon/sys/utf8_names.h"

namespace ingot::client {

namespace {

namespace fs = std::filesystem;
using base::fail;
using base::fail_errno;

Result<std::vector<std::string>> names_in(const fs::path& directory) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator each(directory, error);
  for (; !error && each != fs::directory_iterator(); each.increment(error)) names.push_back(each->path().filename());
  if (error) return fail_errno(error.value(), "cannot read directory " + base::printable(directory.string()));
  std::sort(names.begin(), names.end());
  return names;
}

// The paths that a pattern matches, part by part, as the pattern itself is written: relative or absolute.
std::vector<fs::path> matches_of(const fs::path& directory, const std::string& pattern) {
  std::vector<fs::path> found{{}};
  for (const auto& part : fs::path(pattern)) {
    std::vector<fs::path> next;
    for (const auto& above : found) {
      if (!base::has_glob(part.string())) {
        next.push_back(above / part);
        continue;
      }
      for (const auto& name : names_in(directory / above).value_or(std::vector<std::string>())) {
        if (base::glob_match(part.string(), name)) next.push_back(above / name);
      }
    }
    found = std::move(next);
  }
  std::vector<fs::path> there;
  for (auto& path : found) {
    struct stat status {};
    if (lstat((directory / path).c_str(), &status) == 0) there.push_back(std::move(path));
  }
  return there;
}

std::string name_in_tar(const fs::path& match) {
  std::string name = ("/" / match).lexically_normal().string();
  while (name.ends_with('/')) name.pop_back();
  name.erase(0, name.find_first_not_of('/'));
  return name;
}

class TarWriter {
 public:
  TarWriter(const std::function<Status(std::string_view)>& sink, const sys::CancelToken& cancel)
      : sink_(sink), cancel_(cancel) {
    archive_write_set_format_pax_restricted(to_.get());
    archive_write_set_bytes_per_block(to_.get(), 256 << 10);
    archive_write_set_bytes_in_last_block(to_.get(), 1);
    archive_write_open(to_.get(), this, nullptr, &TarWriter::write, nullptr);
  }
  // What a link leads to, where it was named itself; links below stay links.
  Status add(const fs::path& path, const std::string& name, bool follow) {
    if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
    struct stat status {};
    if ((follow ? stat(path.c_str(), &status) : lstat(path.c_str(), &status)) != 0) {
      return fail_errno(errno, "cannot look at " + base::printable(path.string()));
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)) {
      return fail(ErrorKind::invalid, base::printable(path.string()) + " is no file, directory or link");
    }
    if (!name.empty()) INGOT_CHECK(add_entry(path, name, status));
    if (!S_ISDIR(status.st_mode)) return {};
    INGOT_TRY(const auto below, names_in(path));
    for (const auto& one : below) INGOT_CHECK(add(path / one, name.empty() ? one : name + "/" + one, false));
    return {};
  }
  Status finish() {
    if (archive_write_close(to_.get()) == ARCHIVE_OK) return {};
    return failure("cannot finish the archive");
  }

 private:
  static la_ssize_t write(archive* /*to*/, void* self, const void* bytes, std::size_t size) {
    auto& writer = *static_cast<TarWriter*>(self);
    writer.sent_ = writer.sink_({static_cast<const char*>(bytes), size});
    return writer.sent_ ? static_cast<la_ssize_t>(size) : -1;
  }
  tl::unexpected<Error> failure(const std::string& what) {
    if (!sent_) return fail(sent_.error());
    const char* why = archive_error_string(to_.get());
    return fail(ErrorKind::invalid, what + ": " + (why != nullptr ? base::printable(why) : "unknown"));
  }
  Status add_entry(const fs::path& path, const std::string& name, const struct stat& status) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_mode(entry.get(), status.st_mode);
    archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    sys::UniqueFd file;
    if (S_ISLNK(status.st_mode)) {
      std::error_code error;
      archive_entry_set_symlink(entry.get(), fs::read_symlink(path, error).c_str());
      if (error) return fail_errno(error.value(), "cannot read link " + base::printable(path.string()));
    }
    if (S_ISREG(status.st_mode)) {
      INGOT_TRY(file, sys::open_file(path, O_RDONLY | O_NONBLOCK));
      archive_entry_set_size(entry.get(), status.st_size);
    }
    if (archive_write_header(to_.get(), entry.get()) < ARCHIVE_WARN) {
      return failure("cannot pack " + base::printable(name));
    }
    return file ? add_bytes(file.get(), name, static_cast<std::uint64_t>(status.st_size)) : Status();
  }
  // Of a file that grows, what it had; one that becomes shorter is no whole file.
  Status add_bytes(int file, const std::string& name, std::uint64_t left) {
    INGOT_CHECK(sys::read_bytes(file, "cannot read " + base::printable(name), [&](std::string_view bytes) -> Status {
      bytes = bytes.substr(0, left);
      left -= bytes.size();
      if (cancel_.canceled()) return fail(ErrorKind::canceled, "canceled");
      if (archive_write_data(to_.get(), bytes.data(), bytes.size()) >= 0) return {};
      return failure("cannot pack " + base::printable(name));
    }));
    if (left == 0) return {};
    return fail(ErrorKind::conflict, base::printable(name) + " became shorter while it was read", "build again");
  }

  const std::function<Status(std::string_view)>& sink_;
  const sys::CancelToken& cancel_;
  Status sent_;
  std::unique_ptr<archive, int (*)(archive*)> to_{archive_write_new(), archive_write_free};
};

bool leads_to_directory(const fs::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_a_directory(const fs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status merge(const fs::path& from, const fs::path& to);

Status merge_contents(const fs::path& from, const fs::path& to) {
  INGOT_TRY(const auto names, names_in(from));
  for (const auto& name : names) INGOT_CHECK(merge(from / name, to / name));
  return {};
}

// Moves `from` to `to`; a directory that is there keeps what else it has. A link that is there is not followed: what
// was put there before may have brought it along, and it leads anywhere.
Status merge(const fs::path& from, const fs::path& to) {
  const bool to_directory = is_a_directory(to);
  if (is_a_directory(from) && to_directory) return merge_contents(from, to);
  if (to_directory) {
    return fail(ErrorKind::conflict, base::printable(to.string()) + " is a directory, and what is to be there is none",
                "remove it, or copy to another name");
  }
  struct stat status {};
  if (is_a_directory(from) && lstat(to.c_str(), &status) == 0) {
    return fail(ErrorKind::conflict,
                base::printable(to.string()) + (S_ISLNK(status.st_mode) ? " is a link" : " is no directory") +
                    ", and what is to be there is a directory",
                "remove it, or copy to another name");
  }
  if (rename(from.c_str(), to.c_str()) == 0) return {};
  return fail_errno(errno, "cannot write " + base::printable(to.string()));
}

bool means_directory(const std::string& path) {
  return path.empty() || path == "." || path == ".." || path.ends_with('/') || path.ends_with("/.") ||
         path.ends_with("/..");
}

}  // namespace

Status pack_local(const fs::path& directory, const std::string& source, bool if_exists,
                  const std::function<Status(std::string_view)>& sink, const sys::CancelToken& cancel) {
  const sys::Utf8Names names;
  const auto matches = matches_of(directory, source);
  if (matches.empty() && !if_exists) {
    return fail(ErrorKind::not_found,
                "SAVE ARTIFACT: there is no " + base::printable(source) + " in " + base::printable(directory.string()),
                "what is saved under LOCALLY lies on the side of who builds; --if-exists lets it be missing");
  }
  TarWriter tar(sink, cancel);
  for (const auto& match : matches) INGOT_CHECK(tar.add(directory / match, name_in_tar(match), true));
  return tar.finish();
}

fs::path directory_near(const fs::path& directory, const std::string& destination) {
  fs::path near = (directory / destination).lexically_normal();
  while (!leads_to_directory(near) && near.has_relative_path()) near = near.parent_path();
  return near;
}

Status place_local(const fs::path& directory, const fs::path& tar, const std::string& destination, bool dir) {
  INGOT_TRY(const auto fresh, sys::TempDir::create(directory_near(directory, destination), ".ingot-new-"));
  const fs::path files = fresh.path() / "files";
  INGOT_CHECK(unpack_tar(tar, files));
  INGOT_TRY(const auto names, names_in(files));
  fs::path place = (directory / destination).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();  // a trailing slash
  const bool into = means_directory(destination) || names.size() > 1 || leads_to_directory(place);
  for (const auto& name : names) {
    const bool as_contents = !dir && is_a_directory(files / name);
    const fs::path target = into && !as_contents ? place / name : place;
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return fail_errno(error.value(), "cannot make " + base::printable(target.parent_path().string()));
    // The destination itself is the caller's word, by way of links too.
    const bool joins = as_contents && leads_to_directory(target);
    INGOT_CHECK(joins ? merge_contents(files / name, target) : merge(files / name, target));
  }
  return {};
}

}  // namespace ingot::client

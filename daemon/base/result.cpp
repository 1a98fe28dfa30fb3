#include "daemon/base/result.h"

#include <cerrno>
#include <cstring>

namespace ingot::base {

namespace {

struct ErrnoMeaning {
  int number;
  ErrorKind kind;
  const char* hint;
};

constexpr ErrnoMeaning kMeanings[] = {
    {ENOENT, ErrorKind::not_found, ""},
    {EACCES, ErrorKind::denied, "check owner and mode of the path, and of the directories above it"},
    {EPERM, ErrorKind::denied, "this needs root, or a capability that the process does not have"},
    {EEXIST, ErrorKind::conflict, ""},
    {ENOSPC, ErrorKind::no_space, "free some space on that file system and try again"},
    {EDQUOT, ErrorKind::no_space, "the disk quota is used up; free some space and try again"},
    {EFBIG, ErrorKind::too_large, ""},
    {EROFS, ErrorKind::denied, "the file system is mounted read-only"},
    {EMFILE, ErrorKind::unavailable, "the process has too many files open; raise its LimitNOFILE"},
    {ENFILE, ErrorKind::unavailable, "the host has too many files open; raise fs.file-max"},
    {ENOSYS, ErrorKind::unsupported, "the kernel is too old for this call"},
};

}  // namespace

tl::unexpected<Error> fail_errno(int error_number, const std::string& what) {
  Error error;
  error.message = what + ": " + std::strerror(error_number);
  for (const auto& meaning : kMeanings) {
    if (meaning.number != error_number) continue;
    error.kind = meaning.kind;
    error.hint = meaning.hint;
  }
  return fail(std::move(error));
}

}  // namespace ingot::base

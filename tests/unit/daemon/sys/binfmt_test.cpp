#include "daemon/sys/binfmt.h"

#include <gmock/gmock.h>

#include "tests/support/temp.h"

namespace ingot::sys {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const base::Platform kForeign{"linux", "s390x"};

// The kernel's directory, as a test writes it.
class BinfmtOf : public testing::Test {
 protected:
  void status(const std::string& text) { directory.file("status", text); }
  // As the kernel prints what qemu-user-static registers for s390x.
  void handler(const std::string& name, const std::string& first_line, const std::string& flags,
               const std::string& interpreter = "/usr/libexec/qemu-binfmt/s390x-binfmt-P") {
    directory.file(name, first_line + "\ninterpreter " + interpreter + "\nflags: " + flags +
                             "\noffset 0\nmagic 7f454c4602020100000000000000000000020016\n"
                             "mask ffffffffffffff00fffffffffffffffffffeffff\n");
  }
  Error refused() const {
    const auto found = binfmt.interpreter_for(kForeign);
    return found ? Error{} : found.error();
  }

  test::TempDirectory directory;
  const Binfmt binfmt{directory.path()};
};

TEST_F(BinfmtOf, the_hosts_own_programs_need_nothing) {
  EXPECT_EQ(binfmt.interpreter_for(base::native_platform()).value(), "");
#if defined(__x86_64__)
  EXPECT_EQ(binfmt.interpreter_for({"linux", "386"}).value(), "");
  EXPECT_EQ(binfmt.interpreter_for({"linux", "amd64", "v3"}).value(), "");
#endif
}

TEST_F(BinfmtOf, a_handler_that_brings_its_interpreter_is_enough) {
  status("enabled\n");
  handler("qemu-s390x", "enabled", "POCF");
  EXPECT_EQ(binfmt.interpreter_for(kForeign).value(), "");
  EXPECT_THAT(binfmt.foreign_platforms(), Contains("linux/s390x"));
  EXPECT_THAT(binfmt.foreign_platforms(), Not(Contains("linux/riscv64")));
}

TEST_F(BinfmtOf, another_handlers_interpreter_must_be_in_the_file_system) {
  status("enabled\n");
  handler("any-name", "enabled", "", "/usr/bin/qemu-s390x-static");
  EXPECT_EQ(binfmt.interpreter_for(kForeign).value(), "/usr/bin/qemu-s390x-static");
  EXPECT_THAT(binfmt.foreign_platforms(), Not(Contains("linux/s390x")));
  handler("better", "enabled", "F");
  EXPECT_EQ(binfmt.interpreter_for(kForeign).value(), "") << "of several the one that needs least";
}

TEST_F(BinfmtOf, a_handler_is_known_by_what_it_takes_not_by_its_name) {
  status("enabled\n");
  directory.file("qemu-s390x", "enabled\ninterpreter /x\nflags: F\noffset 0\nmagic 7f454c460201\n");
  EXPECT_THAT(refused().message, HasSubstr("no handler of binfmt_misc is for them")) << "these are little-endian";
  directory.file("s390x", "enabled\ninterpreter /x\nflags: F\nextension .s390x\n");
  EXPECT_THAT(refused().message, HasSubstr("no handler of binfmt_misc is for them")) << "by the file's name";
  directory.file("deep", "enabled\ninterpreter /x\nflags: F\noffset 18\nmagic 0016\n");
  EXPECT_EQ(refused().message, "");
  directory.file("deep", "enabled\ninterpreter /x\nflags: F\noffset 255\nmagic 0016\n");
  EXPECT_THAT(refused().message, HasSubstr("no handler of binfmt_misc is for them"));
}

TEST_F(BinfmtOf, without_one_it_is_said_how_to_get_it) {
  EXPECT_THAT(refused().message, HasSubstr("this host cannot run programs for linux/s390x: its kernel has no binfmt"));
  EXPECT_THAT(refused().hint, HasSubstr("modprobe binfmt_misc"));
  status("enabled\n");
  EXPECT_EQ(refused().message, "this host cannot run programs for linux/s390x: no handler of binfmt_misc is for them");
  EXPECT_EQ(refused().hint,
            "on this host install the package qemu-user-static, or run: docker run --privileged --rm "
            "tonistiigi/binfmt --install s390x");
  EXPECT_EQ(refused().kind, ErrorKind::unsupported);
}

TEST_F(BinfmtOf, what_is_turned_off_is_told_apart) {
  status("enabled\n");
  handler("qemu-s390x", "disabled", "F");
  EXPECT_THAT(refused().message, HasSubstr("its handler qemu-s390x is turned off"));
  EXPECT_EQ(refused().hint, "turn it on: echo 1 > " + (directory / "qemu-s390x").string());
  status("disabled\n");
  handler("qemu-s390x", "enabled", "F");
  EXPECT_THAT(refused().message, HasSubstr("binfmt_misc is turned off"));
}

TEST_F(BinfmtOf, files_that_are_no_handlers_do_no_harm) {
  status("enabled\n");
  for (const char* text : {"", "enabled", "magic", "enabled\nmagic zz\nmask\noffset x\n", "enabled\nmagic 7"}) {
    directory.file("odd", text);
    EXPECT_THAT(refused().message, HasSubstr("no handler")) << text;
  }
}

}  // namespace
}  // namespace ingot::sys

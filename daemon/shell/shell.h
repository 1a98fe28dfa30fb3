#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// What a shell would answer, without a shell. The condition of an Earthfile's IF is run in the image as
// `/bin/sh -c '<condition>'`; most conditions only look at variables, and then their answer can be proven here.
//
// Nothing is guessed: every construct is either one whose meaning is the same in all versions of a shell, or the answer
// is left to the container. tests/unit/daemon/shell/differential_test.cpp holds this to the real shells.
namespace ingot::shell {

// The environment of the step: what it has not, the shell does not find in its environment either.
using Lookup = std::function<std::optional<std::string>(const std::string& name)>;

// What /bin/sh of an image is. `dash` says too that no program of the image is called `[[`: Alpine's busybox brings
// one, and dash runs it. Whoever cannot exclude that does not answer `dash`.
enum class Shell { dash, bash, busybox };

// From what /bin/sh leads to: "dash", "/usr/bin/bash", "/bin/busybox".
std::optional<Shell> shell_named(std::string_view program);

// Whether `/bin/sh -c command` ends with exit code 0; nullopt: only the image's shell can say. Where the three shells
// do not agree, `shell` is asked, once, which one it is (it may be costly); where all agree, or nothing would be known
// anyway, it is not asked. That the image has one of the three for its /bin/sh is taken for granted then.
std::optional<bool> answer(std::string_view command, const Lookup& variables,
                           const std::function<std::optional<Shell>()>& shell);

// The same for an image whose shell is known.
std::optional<bool> answer_of(Shell shell, std::string_view command, const Lookup& variables);

}  // namespace ingot::shell

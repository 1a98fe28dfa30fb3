#include "daemon/base/platform.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "daemon/base/strings.h"

namespace ingot::base {

namespace {

#if defined(__aarch64__)
constexpr const char* kArchitecture = "arm64";
#elif defined(__x86_64__)
constexpr const char* kArchitecture = "amd64";
#else
#error "name this architecture as container images do"
#endif

constexpr std::array<std::string_view, 13> kArchitectures = {"386",     "amd64",   "arm",    "arm64",    "loong64",
                                                             "mips",    "mipsle",  "mips64", "mips64le", "ppc64",
                                                             "ppc64le", "riscv64", "s390x"};

struct Spelling {
  std::string_view written;
  std::string_view architecture;
  std::string_view variant = {};
};

// Taken for what they mean, as other programs that read platforms do.
constexpr std::array<Spelling, 6> kTaken = {{{"x86_64", "amd64"},
                                             {"x86-64", "amd64"},
                                             {"aarch64", "arm64"},
                                             {"i386", "386"},
                                             {"armhf", "arm", "v7"},
                                             {"armel", "arm", "v6"}}};

// Names of the kernel, of Debian and of images' repositories, for a suggestion.
constexpr std::array<Spelling, 19> kMeant = {{{"x64", "amd64"},
                                              {"x86", "386"},
                                              {"x86_32", "386"},
                                              {"i486", "386"},
                                              {"i586", "386"},
                                              {"i686", "386"},
                                              {"armv8", "arm64"},
                                              {"arm64v8", "arm64"},
                                              {"armv7", "arm", "v7"},
                                              {"armv7l", "arm", "v7"},
                                              {"arm32v7", "arm", "v7"},
                                              {"armv6", "arm", "v6"},
                                              {"armv6l", "arm", "v6"},
                                              {"arm32v6", "arm", "v6"},
                                              {"ppc64el", "ppc64le"},
                                              {"mips64el", "mips64le"},
                                              {"mipsel", "mipsle"},
                                              {"riscv", "riscv64"},
                                              {"loongarch64", "loong64"}}};

constexpr const char* kForm = "a platform is such as linux/amd64, linux/arm64 or linux/arm/v7";

template <std::size_t N>
const Spelling* find(const std::array<Spelling, N>& spellings, const std::string& written) {
  const auto found =
      std::find_if(spellings.begin(), spellings.end(), [&](const Spelling& row) { return row.written == written; });
  return found == spellings.end() ? nullptr : &*found;
}

bool is_architecture(const std::string& name) {
  return std::find(kArchitectures.begin(), kArchitectures.end(), name) != kArchitectures.end();
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string suggestion(const std::string& architecture) {
  if (const Spelling* meant = find(kMeant, architecture)) {
    const Platform platform{"linux", std::string(meant->architecture), std::string(meant->variant)};
    return "did you mean \"" + platform.text() + "\"?";
  }
  const auto near = nearest(architecture, {kArchitectures.begin(), kArchitectures.end()}, 1);
  return near.empty() ? kForm : "did you mean \"" + Platform{"linux", near.front()}.text() + "\"?";
}

tl::unexpected<Error> no_platform(const std::string& text, std::string hint) {
  return fail(ErrorKind::invalid, "\"" + printable(text) + "\" is no platform", std::move(hint));
}

Status check_variant(const std::string& text, const Platform& platform) {
  const std::string& variant = platform.variant;
  if (variant.empty()) return {};
  const auto is = [&](std::initializer_list<std::string_view> known) {
    return std::find(known.begin(), known.end(), variant) != known.end();
  };
  if (platform.architecture == "arm" && !is({"v5", "v6", "v7"})) {
    return no_platform(text, "of arm there are linux/arm/v5, linux/arm/v6 and linux/arm/v7" +
                                 std::string(variant == "v8" ? "; v8 is linux/arm64" : ""));
  }
  if (platform.architecture == "amd64" && !is({"v2", "v3", "v4"})) {
    return no_platform(text, "of amd64 there are linux/amd64, and v2 to v4 of it");
  }
  const auto letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; };
  if (std::all_of(variant.begin(), variant.end(), letter)) return {};
  return no_platform(text, kForm);
}

}  // namespace

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

const Platform& native_platform() {
  static const Platform kNative{"linux", kArchitecture};
  return kNative;
}

Platform normalized(Platform platform) {
  platform.os = lower(platform.os.empty() ? "linux" : platform.os);
  platform.architecture = lower(platform.architecture);
  platform.variant = lower(platform.variant);
  if (const Spelling* taken = find(kTaken, platform.architecture)) {
    platform.architecture = taken->architecture;
    if (platform.variant.empty()) platform.variant = taken->variant;
  }
  std::string& variant = platform.variant;
  if (variant.size() == 1 && variant[0] >= '1' && variant[0] <= '9') variant = "v" + variant;
  if (platform.architecture == "arm" && variant.empty()) variant = "v7";
  if (platform.architecture == "arm64" && variant == "v8") variant.clear();
  if (platform.architecture == "amd64" && variant == "v1") variant.clear();
  return platform;
}

Result<Platform> parse_platform(const std::string& text) {
  const auto parts = split(text, '/');
  if (parts.size() > 3 || std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.empty(); })) {
    return no_platform(text, kForm);
  }
  Platform platform{"linux", native_platform().architecture};
  if (parts.size() == 1 && lower(parts[0]) != "linux") platform.architecture = parts[0];
  if (parts.size() > 1) platform = {parts[0], parts[1], parts.size() > 2 ? parts[2] : ""};
  platform = normalized(std::move(platform));
  if (platform.os != "linux") {
    constexpr std::array<std::string_view, 6> kSystems = {"windows", "darwin", "macos", "freebsd", "android", "wasip1"};
    const bool known = std::find(kSystems.begin(), kSystems.end(), platform.os) != kSystems.end();
    if (known) return fail(ErrorKind::unsupported, "Ingot builds for Linux, not for " + platform.os, kForm);
    return no_platform(
        text, is_architecture(platform.architecture) ? "did you mean \"linux/" + platform.architecture + "\"?" : kForm);
  }
  if (!is_architecture(platform.architecture)) return no_platform(text, suggestion(platform.architecture));
  INGOT_CHECK(check_variant(text, platform));
  return platform;
}

std::string foreign_platform(const Platform& platform) {
  return platform == native_platform() ? "" : platform.text();
}

Platform platform_of(const std::string& foreign) {
  if (foreign.empty()) return native_platform();
  return parse_platform(foreign).value_or(native_platform());
}

int distance(const Platform& image, const Platform& wanted) {
  if (image.os != wanted.os || image.architecture != wanted.architecture) return -1;
  if (image.variant == wanted.variant) return 0;
  // The usual one comes before "v2" of amd64, and before "v9" of arm64.
  const auto number = [](const Platform& one) {
    const std::string usual = one.architecture == "arm64" ? "v8" : "v1";
    const std::string& variant = one.variant.empty() ? usual : one.variant;
    return variant.size() == 2 && variant[0] == 'v' ? variant[1] - '0' : -1;
  };
  const int have = number(image);
  const int want = number(wanted);
  return have < 0 || want < 0 || have > want ? -1 : want - have;
}

}  // namespace ingot::base

#include "daemon/earthfile/interpreter.h"
#include "daemon/earthfile/language.h"

// --platform, of every command that has it. What is referred to without it is for the platform that who refers to it
// was wanted for itself, whatever it has begun with meanwhile.
namespace ingot::earthfile {

base::Platform Interpreter::user_platform() const {
  const auto told = request_.builtins.find("USERPLATFORM");
  if (told == request_.builtins.end()) return base::native_platform();
  return base::parse_platform(told->second).value_or(base::native_platform());
}

Result<std::optional<base::Platform>> Interpreter::platform_of(const Options::Value& option) const {
  const std::string& text = option.text;
  const Place& place = option.written.text.empty() ? option.place : option.written.place;
  if (text.empty()) return std::optional<base::Platform>();
  // The language has these words since `new-platform`; what is older and says them can mean nothing else.
  if (text == "native") return std::optional(base::native_platform());
  if (text == "user") return std::optional(user_platform());
  auto platform = base::parse_platform(text);
  if (platform) return std::optional(*std::move(platform));
  return fail_at(place, platform.error().kind, platform.error().message, platform.error().hint);
}

Result<std::optional<base::Platform>> Interpreter::platform_in(const Options& options) const {
  const Options::Value* option = options.find("platform");
  return option == nullptr ? std::optional<base::Platform>() : platform_of(*option);
}

Result<Inherited> Interpreter::inherited_by(const Frame& frame, const Options::Value* option) const {
  if (option == nullptr) return frame.inherited;
  INGOT_TRY(const auto platform, platform_of(*option));
  if (!platform) return frame.inherited;
  const bool contradicts = frame.inherited.is_given && *platform != frame.inherited.platform;
  if (contradicts && !frame.has("new-platform")) {
    return fail_at(option->written.place, ErrorKind::invalid,
                   frame.target + " is built for " + frame.inherited.platform.text() + " here, and takes nothing for " +
                       platform->text(),
                   "a platform beside the one that is asked for " + how_to_get("new-platform"));
  }
  return Inherited{*platform, true};
}

}  // namespace ingot::earthfile

#include "daemon/edge/schema.h"
#include "daemon/edge/schema_words.h"

namespace ingot::edge {

namespace {

using namespace words;

Schema user() {
  return object({{"groups", list(text())},
                 {"passwd", secret()},
                 {"passwordExpiry", fits("[0-9]{4}-[0-9]{2}-[0-9]{2}", "2030-12-31")},
                 {"lock_passwd", boolean()},
                 {"ssh_authorized_keys", list(text())},
                 {"shell", text()},
                 {"uid", integer()},
                 {"primary_group", text()},
                 {"homedir", text()},
                 {"name", text()}});
}

Schema registry() {
  return object({{"domain", text(), true},
                 {"username", text()},
                 {"password", secret()},
                 {"repositoryName", text()},
                 {"certificates", list(text())},
                 {"insecure", boolean()},
                 {"encodedPassword", boolean()}});
}

Schema site() {
  const Schema host_name = fits("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "edge-host-1");
  return object({{"paletteEndpoint", fits("[A-Za-z0-9.-]+(:[0-9]+)?", "api.spectrocloud.com, without https://")},
                 {"edgeHostToken", secret()},
                 {"projectUid", text()},
                 {"projectName", text()},
                 {"name", host_name},
                 {"hostName", host_name},
                 {"registrationURL", text()},
                 {"clusterId", text()},
                 {"clusterName", text()},
                 {"prefix", fits("[A-Za-z0-9-]+", "edge")},
                 {"ntpServers", list(text())},
                 {"caCerts", list(text())},
                 {"insecureSkipVerify", boolean()},
                 {"remoteShell", object({{"disable", boolean()}})},
                 {"deviceUIDPaths", list(object({{"name", text(), true}, {"regex", text()}}))},
                 {"tags", map(text())},
                 {"tagsFromFile", object({{"fileName", text(), true}, {"delimiter", text()}, {"separator", text()}})},
                 {"tagsFromScript", object({{"scriptName", text(), true}, {"timeout", integer()}})},
                 {"users", map(user())},
                 {"network", object({{"httpProxy", text()},
                                     {"httpsProxy", text()},
                                     {"noProxy", text()},
                                     {"nameserver", text()},
                                     {"interfaces", map(object({{"type", one_of({"dhcp", "static"})},
                                                                {"ipAddress", text()},
                                                                {"mask", text()},
                                                                {"gateway", text()},
                                                                {"nameserver", text()}}))}})}});
}

Schema stylus() {
  return object(
      {{"site", site()},
       {"debug", boolean()},
       {"trace", boolean()},
       {"disablePasswordUpdate", boolean()},
       {"disableTui", boolean()},
       {"enableMultiNode", boolean()},
       {"includeTui", boolean()},
       {"vip", object({{"skip", boolean()}})},
       {"managementMode", one_of({"central", "local"})},
       {"installationMode", one_of({"connected", "airgap"})},
       {"path", text()},
       {"localUI", object({{"port", integer(1, 65535)}, {"login", any()}})},
       {"imageRedirectWebhook", object({{"enable", boolean()}, {"port", integer(1, 65535)}})},
       {"registryCredentials", object({{"domain", text()},
                                       {"username", text()},
                                       {"password", secret()},
                                       {"insecure", boolean()},
                                       {"encodedPassword", boolean()}})},
       {"externalRegistries", object({{"registries", list(registry())}, {"registryMappingRules", map(text())}})},
       {"featureGate", text()}});
}

Schema partition() {
  return object({{"size", integer()}, {"fs", one_of({"ext4", "ext3", "ext2", "xfs", "vfat"})}});
}

Schema install() {
  return object(
      {{"bind_mounts", list(fits("/.*", "/var/lib/mine"))},
       {"ephemeral_mounts", list(fits("/.*", "/var/lib/mine"))},
       {"extra-dirs-rootfs", list(fits("/.*", "/mine"))},
       {"env", list(text())},
       {"grub_options", map(text())},
       {"partitions",
        object({{"oem", partition()}, {"recovery", partition()}, {"state", partition()}, {"persistent", partition()}})},
       {"extra-partitions", list(object({{"name", fits("[A-Za-z0-9_-]+", "data"), true},
                                         {"size", integer(), true},
                                         {"fs", one_of({"ext4", "ext3", "ext2", "xfs", "vfat"})},
                                         {"label", text()}}))},
       {"poweroff", boolean()},
       {"reboot", boolean()},
       {"auto", boolean()},
       {"device", fits("auto|/dev/.+|script://.+", "auto, /dev/sda or script:///path")},
       {"no_format", boolean()},
       {"image", text()}});
}

Schema file_like(bool has_content) {
  const Schema octal = fits("0?[0-7]{3,4}|0o[0-7]{3,4}", "0644");
  std::vector<Field> fields = {{"path", fits("/.*", "/etc/mine.conf"), true},
                               {"permissions", octal},
                               {"owner", text()},
                               {"group", text()},
                               {"owner_string", text()}};
  if (has_content) {
    fields.push_back({"content", text()});
    fields.push_back({"encoding", one_of({"b64", "base64", "gz", "gzip", "b64+gz", "base64+gz", "b64+gzip",
                                          "base64+gzip", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64"})});
  }
  return object(std::move(fields));
}

Schema step() {
  return object(
      {{"name", text()},
       {"if", text()},
       {"node", text()},
       {"commands", list(text())},
       {"files", list(file_like(true))},
       {"directories", list(file_like(false))},
       {"users", map(user())},
       {"authorized_keys", map(list(text()))},
       {"hostname", text()},
       {"dns",
        object({{"nameservers", list(text())}, {"search", list(text())}, {"options", list(text())}, {"path", text()}})},
       {"sysctl", map(text())},
       {"modules", list(text())},
       {"systemctl",
        object({{"enable", list(text())}, {"disable", list(text())}, {"start", list(text())}, {"mask", list(text())}})},
       {"environment", map(text())},
       {"environment_file", text()},
       {"timesyncd", map(text())},
       {"datasource", any()},
       {"layout", any()},
       {"ensure_entities", list(any())},
       {"delete_entities", list(any())},
       {"downloads", list(object({{"path", text(), true},
                                  {"url", text(), true},
                                  {"permissions", text()},
                                  {"owner", text()},
                                  {"group", text()},
                                  {"owner_string", text()},
                                  {"timeout", integer()}}))},
       {"git", any()}});
}

}  // namespace

const std::vector<std::string>& stage_names() {
  static const std::vector<std::string> kNames = {"rootfs",         "initramfs",
                                                  "boot",           "fs",
                                                  "network",        "reconcile",
                                                  "after-install",  "after-install-chroot",
                                                  "after-upgrade",  "after-upgrade-chroot",
                                                  "after-reset",    "after-reset-chroot",
                                                  "before-install", "before-upgrade",
                                                  "before-reset"};
  return kNames;
}

const Schema& user_data_schema() {
  static const Schema kSchema = object({{"stylus", stylus()},
                                        {"install", install()},
                                        {"stages", {.kind = Kind::stages, .each = {step()}}},
                                        {"name", text()}});
  return kSchema;
}

const Schema& custom_config_schema() {
  static const Schema kKey = object({{"base64EncodedValue", text(), true}, {"description", text()}});
  static const Schema kSigning = object({{"publicKey", kKey, true}});
  static const Schema kSchema = object({{"content", object({{"signing", kSigning, true}}), true}});
  return kSchema;
}

}  // namespace ingot::edge

#include "client/cli/command_table.h"

#include <algorithm>

#include "client/commands/commands.h"

namespace ingot::client {

namespace {

const std::vector<FlagInfo>& recipe_flags() {
  static const std::vector<FlagInfo> kFlags = {
      {"--build-arg", "", "NAME[=VALUE]", "an ARG's value; without =VALUE it is the environment's"},
      {"--arg-file-path", "", "FILE", "read ARGs from this file (default .arg)"},
      {"--secret", "-s", "NAME[=VALUE]", "a secret; without =VALUE it is the environment's, or asked for"},
      {"--secret-file", "", "NAME=FILE", "a secret that is a file's content; the file is not sent with the project"},
      {"--secret-file-path", "", "FILE", "read secrets from this file (default .secret)"},
      {"--no-cache", "", "+TARGET", "run every step anew, or only those of this target; may be repeated", "", true},
      {"--pull", "", "WHEN",
       "fetch images of FROM when they are missing (the default), always if there is a newer one, or never",
       "missing always never"},
      {"--platform", "", "PLATFORM",
       "build for this platform, such as linux/arm64, instead of the daemon's own; may be repeated"},
      {"--strict", "", "", "let no warning pass, of lint or of the build, and no LOCALLY"}};
  return kFlags;
}

const std::vector<FlagInfo>& job_flags() {
  static const std::vector<FlagInfo> kFlags = {
      {"--label", "-l", "KEY=VALUE", "label the job; may be repeated"},
      {"--priority", "", "N", "higher ones run first (default 0)"},
      {"--timeout", "", "TIME", "end the job after this time, such as 30m"},
      {"--push", "", "", "push images that say SAVE IMAGE --push, once all is built"},
      {"--compression", "", "HOW",
       "of the layers that SAVE IMAGE makes: gzip, zstd or none (default: none, and as the daemon is configured with "
       "--push)",
       "gzip zstd none"},
      {"--idempotency-key", "", "KEY", "a second submission with the same key is the same job"}};
  return kFlags;
}

std::vector<FlagInfo> with_submission_flags(const std::vector<FlagInfo>& more) {
  std::vector<FlagInfo> flags = recipe_flags();
  flags.insert(flags.end(), job_flags().begin(), job_flags().end());
  flags.insert(flags.end(), more.begin(), more.end());
  return flags;
}

std::vector<FlagInfo> plan_flags() {
  std::vector<FlagInfo> flags = recipe_flags();
  flags.push_back({"--format", "", "HOW", "text, or dot for Graphviz", "text dot"});
  return flags;
}

}  // namespace

const std::vector<FlagInfo>& global_flags() {
  static const std::vector<FlagInfo> kFlags = {
      {"--socket", "", "PATH", "the daemon's socket (INGOT_SOCKET, else /run/ingot/ingotd.sock)"},
      {"--directory", "-C", "DIR", "the project directory (default: this one)"},
      {"--json", "", "", "print JSON"},
      {"--color", "", "WHEN", "auto, always or never; NO_COLOR is honoured", "auto always never"},
      {"--quiet", "-q", "", "print only results and errors"},
      {"--verbose", "-v", "", "print more: how long each step took"},
      {"--help", "-h", "", "print help"},
  };
  return kFlags;
}

const std::vector<CommandInfo>& command_table() {
  static const std::vector<CommandInfo> kCommands = {
      {"build", "[flags] +target [--NAME=value ...]", "build a target of the project directory, and wait for it",
       "Sends what the daemon does not have yet, follows the job, and puts artifacts with AS LOCAL in their place.\n"
       "Ctrl-C cancels the job; a second one leaves it alone and says how to come back.\n"
       "A target of another repository is github.com/org/repo:tag+target: of this directory nothing is sent for it.",
       with_submission_flags(
           {{"--allow-locally", "", "", "let the recipes run commands here, as you: what they say behind LOCALLY"},
            {"--no-output", "", "", "leave artifacts with AS LOCAL in the daemon"},
            {"--boot-test", "", "HOW",
             "start the ISO in a virtual machine before it is delivered: bios, uefi (the default), secure-boot or "
             "setup-mode, usb, install, with commas between",
             "", true},
            {"--progress", "", "HOW", "auto, plain or tty", "auto plain tty"}}),
       true, run_build},
      {"submit", "[flags] +target [--NAME=value ...]", "queue a target, print the job's id and go", "",
       with_submission_flags({}), true, run_submit},
      {"plan", "[flags] +target [--NAME=value ...]", "tell what a build would do, and what of it is done already",
       "Nothing runs, and no secret is sent. A step that only may run does so unless what it stands on comes out as "
       "it\n"
       "was before.",
       plan_flags(), true, run_plan},
      {"ps",
       "[flags]",
       "list jobs: those that wait or run, and with --all the ended ones",
       "",
       {{"--all", "-a", "", "ended jobs too"},
        {"--state", "", "STATE", "only jobs in this state", "queued running succeeded failed canceled"},
        {"--label", "-l", "KEY=VALUE", "only jobs with this label; may be repeated"},
        {"--limit", "-n", "N", "at most so many, newest first (default 100)"}},
       false,
       run_ps},
      {"show",
       "JOB",
       "tell everything of a job, the digests of the images and the commits of the repositories that it started from "
       "too",
       "",
       {},
       false,
       run_show},
      {"manifest",
       "JOB",
       "print the pack manifest of the provider images that a job made, for the cluster profile",
       "Derived from the images themselves. Those that differ in more than the Kubernetes version have one each.",
       {},
       false,
       run_manifest},
      {"why",
       "JOB [STEP]",
       "tell of each step of a job why it ran, or why it did not have to",
       "A step that ran is held against the last job that had it. STEP is its number, or a part of its text.",
       {},
       false,
       run_why},
      {"logs",
       "[flags] JOB",
       "print a job's log",
       "With -f it goes on until the job ends, and exits as the job did.",
       {{"--follow", "-f", "", "go on until the job ends"}, {"--from", "", "N", "begin at event N"}},
       false,
       run_logs},
      {"wait", "JOB...", "wait until jobs have ended; exits as the first one that failed", "", {}, false, run_wait},
      {"get",
       "[flags] JOB [ARTIFACT...]",
       "fetch a job's artifacts",
       "ARTIFACT is a name or a number of `ingot show`; none means all, which go where their build would have put "
       "them: what\n"
       "says AS LOCAL to its place, the rest and the pack manifest into build/. A directory comes as a tar.\n"
       "A transfer that broke goes on where it was.",
       {{"--output", "-o", "PATH", "directory, or file for a single artifact; - is standard output"}},
       false,
       run_get},
      {"artifacts",
       "ls | rm JOB [ARTIFACT...]",
       "list a job's artifacts, or remove them from the daemon",
       "ARTIFACT is a name or a number; none means all. Only of a job that has ended; `retry` makes them again.",
       {},
       false,
       run_artifacts},
      {"cancel", "JOB...", "cancel jobs", "", {}, false, run_cancel},
      {"retry",
       "[flags] JOB",
       "run an ended job again, as a new one",
       "",
       {{"--follow", "-f", "", "follow the new job's log until it ends"}},
       false,
       run_retry},
      {"images", "", "list the images that jobs made", "", {}, false, run_images},
      {"image",
       "save | load [flags] IMAGE",
       "write an image to a file, or load it into podman or docker",
       "IMAGE is a name, the beginning of a digest, or a job. The file is an OCI archive that docker load takes too.",
       {{"--output", "-o", "FILE", "save: the file; - is standard output"},
        {"--into", "", "PROGRAM", "load: podman or docker (default: whichever is here)", "podman docker"}},
       false,
       run_image},
      {"push",
       "[flags] IMAGE [NAME]",
       "push an image that a job made to its registry, under its own name or another one",
       "IMAGE is a name, the beginning of a digest, or a job. Only what the registry lacks is sent; what may pass, "
       "such as "
       "a\nregistry that does not answer, is tried again. Logins and certificates are those of the daemon's `images` "
       "rules.",
       {{"--insecure", "", "", "the registry has no TLS, or a certificate that nobody vouches for"}},
       false,
       run_push},
      {"cache",
       "du | prune [flags]",
       "tell how much the daemon keeps to do nothing twice, or make it less",
       "What goes is built again when it is wanted. Nothing goes that a job uses.",
       {{"--keep", "", "SIZE", "prune: until no more than this is left (default: nothing that is not in use)"},
        {"--older-than", "", "TIME", "prune: only what was not used for so long, such as 7d"},
        {"--dry-run", "", "", "prune: only tell what would go"}},
       false,
       run_cache},
      {"init",
       "[flags] [DIR]",
       "write a project that builds an installer ISO and provider images",
       "The Earthfile, .arg.template, user-data.template and Dockerfile of an edge project, into this directory or "
       "DIR. "
       "Nothing\n"
       "that is there is written over.",
       {{"--os", "", "NAME", "the operating system: debian (default), ubuntu, opensuse-leap, rhel or sles",
         "debian ubuntu opensuse-leap rhel sles"}},
       false,
       run_init},
      {"boot-test",
       "[flags] FILE | JOB",
       "start an ISO in a virtual machine, and tell what comes up",
       "FILE is an ISO, or JOB made one. A job of its own runs QEMU, and fails unless a system asks for a login on "
       "its\n"
       "serial line. build/boot-test/ of this directory gets the report: what happened when, the serial log, a "
       "picture.",
       {{"--bios", "", "", "a machine with BIOS"},
        {"--uefi", "", "", "a machine with UEFI (default)"},
        {"--secure-boot", "", "", "a machine with UEFI that starts nothing unsigned"},
        {"--setup-mode", "", "", "such a machine without keys so far: the ISO enrolls its own, and is started again"},
        {"--usb", "", "", "start the ISO from a USB stick (default: from a CD)"},
        {"--install", "", "", "install to a blank disk, and start that"},
        {"--expect", "", "TEXT", "what has to come on the serial line in the end, instead of a login"},
        {"--patience", "", "TIME", "how long each start may take (default 10m)"},
        {"--progress", "", "HOW", "auto, plain or tty", "auto plain tty"}},
       false,
       run_boot_test},
      {"sweep",
       "[flags] plan|run [FILE] | ls | show|logs|wait|cancel|retry|report SWEEP | diff SWEEP SWEEP",
       "build many cells, such as every Kubernetes version, as one thing with one verdict",
       "FILE is sweep.yaml where none is named. `plan` tells what would be built, from earlier runs; `run` queues all "
       "cells\n"
       "or none; `logs SWEEP [CELL]` prints a cell's log, or that of the first that failed. The exit code of what "
       "waits is 0\n"
       "when every cell is green, 1 when one failed.",
       {{"--wait", "-w", "", "of run and retry: show the cells until all have ended"},
        {"--failed", "", "", "of retry: only the cells that did not succeed"},
        {"--format", "", "FORM", "of report: markdown (default), html, junit or json", "markdown html junit json"},
        {"--output", "-o", "FILE", "of report: write it there"},
        {"--limit", "-n", "NUMBER", "of ls: how many, the latest first (default 20)"},
        {"--strict", "", "", "fail for a warning too"},
        {"--secret", "", "NAME[=VALUE]",
         "a secret of the cells; what FILE names is taken from the environment or .secret"},
        {"--secret-file", "", "NAME=FILE", "the same, from a file"},
        {"--secret-file-path", "", "FILE", "secrets in place of those in .secret"},
        {"--idempotency-key", "", "KEY", "a second submission with the same key is answered with the first sweep"},
        {"--schema", "", "", "print the JSON Schema of FILE instead"}},
       false,
       run_sweep},
      {"schedule",
       "[flags] ls | run|pause|resume NAME",
       "sweeps that the daemon runs by itself, at the times of its configuration",
       "`run` does it now, whatever its time; what passes while one is paused is not made up for.",
       {},
       false,
       run_schedule},
      {"validate",
       "[flags] [FILE...]",
       "check user-data of an edge installer: its header, YAML, keys and values",
       "Each finding has its line and column. FILE is user-data where none is named.",
       {{"--strict", "", "", "fail for a warning too"},
        {"--schema", "", "", "print the JSON Schema of user-data instead"}},
       false,
       run_validate},
      {"ls",
       "[flags] [DIR]",
       "list the targets of an Earthfile with the first line of their comments",
       "No daemon is asked, and nothing of the Earthfile runs.",
       {{"--long", "-l", "", "their ARGs too: defaults, and which are required"}},
       false,
       run_ls},
      {"doc",
       "[flags] [DIR][+target]",
       "tell what a target is for, what it takes and what it gives",
       "That is the comments right above the target, its ARGs and what it saves. Without a target: of all that have a\n"
       "comment.",
       {{"--long", "-l", "", "ARGs, artifacts and images of all targets"}},
       false,
       run_doc},
      {"fmt",
       "[flags] [FILE...]",
       "bring Earthfiles into one form, and name those that were not in it",
       "Indentation, blank lines and white space at ends of lines change; what the file says, and its comments, never "
       "do.",
       {{"--check", "", "", "change nothing; exit with 1 where something would change"},
        {"--diff", "", "", "change nothing; show what would change"}},
       false,
       run_fmt},
      {"lint",
       "[flags] [FILE...]",
       "tell all syntax errors of Earthfiles, and what is hardly meant as it stands",
       "Such as ARGs and functions that nothing uses, references to targets that are not there, conditions that are "
       "never\n"
       "true, secrets in ARGs, and COPY of what .earthlyignore keeps out.",
       {{"--strict", "", "", "exit with 1 where there is a warning"}},
       false,
       run_lint},
      {"debug",
       "ast [FILE]",
       "print the tree of an Earthfile as JSON, with lines and columns",
       "",
       {},
       false,
       run_debug},
      {"version", "", "print the versions of client and daemon", "", {}, false, run_version},
      {"doctor", "", "say whether this host can build, and what to do if not", "", {}, false, run_doctor},
      {"completion", "bash|zsh|fish", "print a shell's completion script", "", {}, false, run_completion},
      {"help", "[COMMAND]", "print help", "", {}, false, run_help},
  };
  return kCommands;
}

const CommandInfo* find_command(const std::string& name) {
  const auto& table = command_table();
  auto found = std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace ingot::client

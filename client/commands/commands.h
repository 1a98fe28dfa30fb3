#pragma once

#include "client/cli/command_table.h"

// One function a command; each in the file of its name, the short ones together.
namespace ingot::client {

Result<int> run_build(const Invocation& invocation);
Result<int> run_submit(const Invocation& invocation);
Result<int> run_plan(const Invocation& invocation);
Result<int> run_why(const Invocation& invocation);
Result<int> run_ps(const Invocation& invocation);
Result<int> run_show(const Invocation& invocation);
Result<int> run_manifest(const Invocation& invocation);
Result<int> run_logs(const Invocation& invocation);
Result<int> run_wait(const Invocation& invocation);
Result<int> run_get(const Invocation& invocation);
Result<int> run_artifacts(const Invocation& invocation);
Result<int> run_cancel(const Invocation& invocation);
Result<int> run_retry(const Invocation& invocation);
Result<int> run_images(const Invocation& invocation);
Result<int> run_image(const Invocation& invocation);
Result<int> run_push(const Invocation& invocation);
Result<int> run_cache(const Invocation& invocation);
Result<int> run_validate(const Invocation& invocation);
Result<int> run_sweep(const Invocation& invocation);
Result<int> run_schedule(const Invocation& invocation);
Result<int> run_boot_test(const Invocation& invocation);
Result<int> run_init(const Invocation& invocation);
Result<int> run_ls(const Invocation& invocation);
Result<int> run_doc(const Invocation& invocation);
Result<int> run_fmt(const Invocation& invocation);
Result<int> run_lint(const Invocation& invocation);
Result<int> run_debug(const Invocation& invocation);
Result<int> run_version(const Invocation& invocation);
Result<int> run_doctor(const Invocation& invocation);
Result<int> run_completion(const Invocation& invocation);
Result<int> run_help(const Invocation& invocation);
// Not in the table: what the completion scripts ask. Prints candidates of `words[0]`, "targets" or "jobs".
int run_complete(const Invocation& invocation);

}  // namespace ingot::client

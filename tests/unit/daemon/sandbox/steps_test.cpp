#include <thread>

#include "tests/unit/daemon/sandbox/real_sandbox.h"

namespace ingot::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class Steps : public RealSandbox {};

TEST_F(Steps, true_leaves_an_empty_layer) {
  auto ran = run("true");
  EXPECT_TRUE(ran.outcome.status.ok());
  EXPECT_FALSE(ran.outcome.out_of_memory);
  EXPECT_EQ(listing(ran.upper), "");
}

TEST_F(Steps, output_and_exit_code_are_the_programs) {
  auto ran = run("echo to out; echo to err >&2; exit 7");
  EXPECT_EQ(ran.outcome.status.code, 7);
  EXPECT_FALSE(ran.outcome.status.ok());
  EXPECT_EQ(ran.out, "to out\n");
  EXPECT_EQ(ran.err, "to err\n");
}

TEST_F(Steps, a_signal_is_128_and_its_number) {
  EXPECT_EQ(run("sh -c 'kill -9 $$'; exit $?").outcome.status.code, 137);
}

TEST_F(Steps, environment_directory_and_defaults) {
  auto spec = step("pwd; echo $PATH $HOME $COLOR; ulimit -n >/dev/null && hostname");
  spec.env = {{"COLOR", "blue and green"}, {"PATH", "/bin:/own"}};
  spec.working_dir = "/etc";
  EXPECT_EQ(run(spec).out, "/etc\n/bin:/own /root blue and green\ningot\n");

  auto bare = step("/bin/echo $PATH");
  bare.env = {};
  EXPECT_EQ(run(bare).out, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST_F(Steps, users_are_the_images) {
  auto spec = step("id -u; id -g; id -G; echo $HOME; touch /etc/no 2>/dev/null || echo refused; touch /tmp/mine");
  spec.user = "app";
  auto ran = run(spec);
  EXPECT_EQ(ran.out, "1000\n1001\n1001 2000\n/home/app\nrefused\n");
  struct stat status {};
  ASSERT_EQ(lstat((ran.upper / "tmp/mine").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1000U);

  spec = step("id -u; id -g");
  spec.user = "4242:extra";
  EXPECT_EQ(run(spec).out, "4242\n2000\n");
}

TEST_F(Steps, an_unknown_user_is_named) {
  auto spec = step("true");
  spec.user = "ap";
  auto ran = try_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().message, "the image has no user \"ap\"");
  EXPECT_EQ(ran.error().hint, "did you mean \"app\"?");
  EXPECT_EQ(listing(spec.upper), "");
}

TEST_F(Steps, a_program_that_is_not_there_is_the_steps_fault) {
  auto spec = step("true");
  spec.argv = {"/bin/bash", "-c", "true"};
  auto ran = try_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::step_failed);
  EXPECT_NE(ran.error().message.find("/bin/bash"), std::string::npos) << ran.error().message;
  EXPECT_EQ(ran.error().hint, "check that the image has /bin/bash, for this machine's architecture");
}

TEST_F(Steps, only_what_the_step_wrote_is_in_the_layer) {
  EXPECT_EQ(listing(run("echo x > /made; rm /etc/group; mkdir /tmp/d").upper), "etc\netc/group\nmade\ntmp\ntmp/d");
  EXPECT_EQ(listing(run("echo build > /etc/hostname").upper), "etc\netc/hostname");
  EXPECT_EQ(listing(run("chmod 700 /etc").upper), "etc");
  EXPECT_EQ(listing(run("echo x > /etc/x; rm /etc/x").upper), "etc");
}

TEST_F(Steps, a_resolv_conf_that_is_a_link_to_nowhere) {
  fs::create_directories(base_layer() / "run");
  fs::create_symlink("../run/resolve/stub.conf", base_layer() / "etc/resolv.conf");
  EXPECT_EQ(listing(run("cat /etc/resolv.conf").upper), "");
  EXPECT_EQ(listing(run("chmod 700 /run").upper), "run");
  EXPECT_EQ(listing(run("echo x > /run/pid").upper), "run\nrun/pid");
  EXPECT_EQ(run("test -s /etc/resolv.conf && echo given").out, "given\n");
}

TEST_F(Steps, a_step_on_nothing_has_only_what_it_brings) {
  auto spec = step("true");
  fs::create_directories(spec.upper / "bin");
  fs::copy_file("/bin/busybox", spec.upper / "bin/sh");
  spec.layers = {};
  EXPECT_EQ(run(spec).outcome.status.code, 0);
  EXPECT_EQ(listing(spec.upper), "bin\nbin/sh");
}

TEST_F(Steps, the_hosts_files_are_there_to_be_read) {
  auto ran = run("cat /etc/hosts; echo x > /etc/resolv.conf || echo refused; test -s /etc/resolv.conf && echo given");
  EXPECT_EQ(ran.out, "127.0.0.1\tlocalhost ingot\n::1\tlocalhost ip6-localhost ip6-loopback\nrefused\ngiven\n");
}

TEST_F(Steps, a_limit_of_memory_ends_the_step) {
  auto spec = step("dd if=/dev/zero of=/dev/null bs=200M count=1");
  spec.limits.memory_bytes = 32U << 20U;
  auto ran = run(spec);
  EXPECT_FALSE(ran.outcome.status.ok());
  EXPECT_TRUE(ran.outcome.out_of_memory);
  EXPECT_GT(ran.outcome.peak_memory_bytes, 16U << 20U);
  EXPECT_LE(ran.outcome.peak_memory_bytes, 32U << 20U);
}

TEST_F(Steps, a_limit_of_cpus_slows_it_down) {
  auto spec = step("cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null");
  spec.limits.cpus = 0.5;
  EXPECT_EQ(run(spec).out.substr(0, 5), "50000");
}

TEST_F(Steps, a_fork_bomb_hits_its_limit_and_is_cleared_away) {
  auto spec = step("f() { f | f & }; f; sleep 0.3; echo over");
  spec.limits.pids = 64;
  spec.timeout = seconds(5);
  const auto started = steady_clock::now();
  auto ran = run(spec);
  EXPECT_LT(steady_clock::now() - started, seconds(8));
  EXPECT_NE(ran.err.find("fork"), std::string::npos) << ran.err.substr(0, 300);
}

TEST_F(Steps, cancel_ends_what_ignores_SIGTERM_within_a_second) {
  auto spec = step(
      "trap '' TERM INT HUP; for i in 1 2 3; do (trap '' TERM; setsid sleep 100 & sleep 100) & done; echo up; "
      "while true; do sleep 1; done");
  sys::CancelSource source;
  steady_clock::time_point canceled;
  auto sink = [&](sys::Stream, std::string_view bytes) {
    if (bytes.find("up") == std::string_view::npos) return;
    canceled = steady_clock::now();
    source.cancel();
  };
  auto outcome = sandbox_->run(spec, sink, source.token());
  ASSERT_TRUE(outcome) << proto::render(outcome.error());
  EXPECT_TRUE(outcome->status.canceled);
  EXPECT_LT(steady_clock::now() - canceled, seconds(1));
}

TEST_F(Steps, cancel_at_any_moment_leaves_nothing) {
  run("true");
  for (int ms : {0, 1, 3, 6, 9, 12, 15, 18, 22, 26, 30, 35}) {
    sys::CancelSource source;
    std::thread later([&] {
      std::this_thread::sleep_for(milliseconds(ms));
      source.cancel();
    });
    auto ran = try_run(step("sleep 100"), source.token());
    later.join();
    ASSERT_TRUE(ran) << ms << " ms: " << proto::render(ran.error());
    EXPECT_TRUE(ran->outcome.status.canceled) << ms;
    EXPECT_EQ(listing(ran->upper), "") << ms;
    EXPECT_EQ(leftovers(), "") << ms;
  }
}

TEST_F(Steps, a_time_limit_ends_it) {
  auto spec = step("trap '' TERM; echo started; while true; do sleep 1; done");
  spec.timeout = milliseconds(300);
  const auto started = steady_clock::now();
  auto ran = run(spec);
  EXPECT_TRUE(ran.outcome.status.timed_out);
  EXPECT_LT(steady_clock::now() - started, milliseconds(1300));
  EXPECT_EQ(ran.out, "started\n");
}

TEST_F(Steps, what_it_left_in_the_background_ends_with_it) {
  const auto started = steady_clock::now();
  EXPECT_TRUE(run("setsid sleep 300 & sleep 300 & echo done").outcome.status.ok());
  EXPECT_LT(steady_clock::now() - started, seconds(2));
}

TEST_F(Steps, ten_at_once) {
  std::vector<std::thread> threads;
  std::vector<Ran> results(10);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = run("echo " + std::to_string(i) + "; echo mine > /file"); });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].out, std::to_string(i) + "\n");
    EXPECT_EQ(listing(results[i].upper), "file");
  }
}

TEST_F(Steps, the_hosts_network_must_be_allowed) {
  auto spec = step("true");
  spec.network = Network::host;
  auto ran = try_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::denied);
  EXPECT_EQ(ran.error().message, "this host does not allow steps on its own network");
  EXPECT_EQ(ran.error().hint, "set network.allow_host in the daemon's configuration");
}

TEST_F(Steps, more_rights_must_be_allowed_and_are_the_hosts) {
  EXPECT_NE(run("mount -t tmpfs x /tmp").outcome.status.code, 0);
  auto spec = step("mount -t tmpfs x /tmp && grep ' /tmp tmpfs' /proc/mounts && test -c /dev/loop-control");
  spec.privileged = true;
  auto ran = try_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::denied);
  EXPECT_EQ(ran.error().message, "this host does not allow privileged steps");
  auto open = settings();
  open.allow_privileged = true;
  sandbox_.reset();
  sandbox_ = std::move(*Sandbox::create(open, sys::system_processes()));
  EXPECT_EQ(run(spec).outcome.status.code, 0);
  EXPECT_NE(run("mount -t tmpfs x /tmp").outcome.status.code, 0) << "only who says so";
}

TEST_F(Steps, hosts_are_found_by_their_names) {
  auto spec = step("cat /etc/hosts");
  spec.hosts = {{"mirror", "10.0.0.7"}};
  EXPECT_NE(run(spec).out.find("10.0.0.7\tmirror\n"), std::string::npos);
}

TEST_F(Steps, a_host_without_a_runtime_says_what_to_do) {
  auto other = settings();
  other.runtime = "/nowhere/runc";
  sandbox_.reset();
  auto made = Sandbox::create(other, sys::system_processes());
  ASSERT_TRUE(made);
  sandbox_ = std::move(*made);
  auto ran = try_run(step("true"));
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(ran.error().message, "no OCI runtime works on this host");
  EXPECT_EQ(ran.error().hint, "install runc (`ingot doctor` says more)");
  ASSERT_EQ(ran.error().context.size(), 1U);
  EXPECT_NE(ran.error().context[0].find("/nowhere/runc: "), std::string::npos);
}

TEST_F(Steps, doctor_finds_this_host_able) {
  std::string names;
  for (const auto& check : sandbox_->checks()) {
    names += check.name + " ";
    EXPECT_TRUE(check.ok || !check.required) << check.name << ": " << check.detail;
    EXPECT_TRUE(check.ok || !check.cure.empty()) << check.name;
    EXPECT_NE(check.detail, "") << check.name;
  }
  EXPECT_EQ(names, "runtime seccomp overlayfs cgroups network forwarding name servers ");
}

TEST_F(Steps, a_secret_is_a_file_that_leaves_no_trace) {
  auto spec = step(
      "stat -c '%a %u %g' /run/secrets/key /tmp/other; cat /run/secrets/key; echo no >/run/secrets/key; ls "
      "/run/secrets");
  spec.user = "app";
  spec.secret_files = {{"/run/secrets/key", "value\n", 0400, {}, {}}, {"/tmp/other", "x", 0444, 7, 8}};
  auto ran = run(spec);
  EXPECT_EQ(ran.out, "400 1000 1001\n444 7 8\nvalue\nkey\n") << ran.err;
  EXPECT_NE(ran.err.find("/run/secrets/key"), std::string::npos) << "it cannot be written";
  EXPECT_EQ(listing(ran.upper), "");
}

TEST_F(Steps, a_secret_is_a_variable_and_no_core_dump) {
  auto spec = step("echo $TOKEN $OTHER; ulimit -c; ulimit -Hc");
  spec.env = {{"PATH", "/bin"}, {"TOKEN", "plain"}, {"OTHER", "o"}};
  spec.secret_env = {{"TOKEN", "hidden"}};
  EXPECT_EQ(run(spec).out, "hidden o\n0\n0\n");
}

TEST_F(Steps, a_mount_may_be_read_only_and_of_a_file) {
  const auto source = directory_.file("elsewhere", "content\n");
  auto spec = step("cat /m; echo x > /m || echo refused; echo $?");
  spec.mounts = {{"/m", source, true, true}};
  EXPECT_EQ(run(spec).out, "content\nrefused\n0\n");
}

TEST_F(Steps, a_socket_is_the_steps_own_and_leaves_no_trace) {
  auto spec = step("stat -c '%F %a %u %g' /run/a/sock /tmp/other; chmod 777 /run/a/sock && echo changed; ls /run/a");
  spec.user = "app";
  const auto serve = [](int, const sys::CancelToken&) {};
  spec.sockets = {{"/run/a/sock", serve, 0600, {}, {}}, {"/tmp/other", serve, 0666, 7, 8}};
  const auto ran = run(spec);
  EXPECT_EQ(ran.out, "socket 600 1000 1001\nsocket 666 7 8\nsock\n") << ran.err;
  EXPECT_EQ(listing(ran.upper), "");
}

}  // namespace
}  // namespace ingot::sandbox

#include "daemon/sandbox/seccomp.h"

#include <linux/sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace ingot::sandbox {

namespace {

using nlohmann::json;

// By what they are for. Names that an architecture does not have are skipped by the runtime.
constexpr const char* kAllowed =
    // files and directories
    "access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat "
    "lchown lchown32 chroot creat open openat openat2 close close_range copy_file_range dup dup2 dup3 fadvise64 "
    "fadvise64_64 arm_fadvise64_64 fallocate fcntl fcntl64 fdatasync fsync flock fstat fstat64 fstatat64 newfstatat "
    "fstatfs fstatfs64 statfs statfs64 stat stat64 lstat lstat64 statx ftruncate ftruncate64 truncate truncate64 "
    "getcwd getdents getdents64 ioctl link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 "
    "mkdir mkdirat rmdir unlink unlinkat mknod mknodat lseek _llseek mmap mmap2 munmap mremap mprotect msync madvise "
    "mincore mlock mlock2 mlockall munlock munlockall pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead "
    "readv write writev sendfile sendfile64 splice tee vmsplice sync sync_file_range sync_file_range2 "
    "arm_sync_file_range syncfs umask utime utimes utimensat utimensat_time64 futimesat name_to_handle_at "
    "fanotify_mark remap_file_pages memfd_create memfd_secret getxattr lgetxattr fgetxattr setxattr lsetxattr "
    "fsetxattr listxattr llistxattr "
    "flistxattr removexattr lremovexattr fremovexattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch "
    // processes, users and limits
    "exit exit_group execve execveat fork vfork wait4 waitid waitpid getpid getppid gettid getpgid getpgrp "
    "setpgid getsid setsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32 "
    "getresuid getresuid32 getresgid getresgid32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid "
    "setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups "
    "setgroups32 capget capset prctl arch_prctl getpriority setpriority ioprio_get ioprio_set getrlimit setrlimit "
    "prlimit64 ugetrlimit getrusage times sched_getaffinity sched_setaffinity sched_getattr sched_setattr "
    "sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max "
    "sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 sched_yield getcpu brk set_tid_address "
    "set_thread_area get_thread_area set_robust_list get_robust_list rseq membarrier pidfd_open pidfd_send_signal "
    "ptrace process_vm_readv process_vm_writev process_mrelease sysinfo uname "
    "pkey_alloc pkey_free pkey_mprotect landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp "
    "modify_ldt "
    // signals, time and waiting
    "kill tkill tgkill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
    "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 "
    "sigpending sigprocmask sigreturn sigsuspend alarm getitimer setitimer nanosleep clock_nanosleep "
    "clock_nanosleep_time64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 gettimeofday time "
    "adjtimex clock_adjtime clock_adjtime64 timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
    "timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 "
    "pause poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl "
    "epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 futex futex_time64 futex_waitv "
    "futex_wait futex_wake futex_requeue restart_syscall "
    // of ARM alone
    "breakpoint cacheflush set_tls "
    // pipes, sockets and messages
    "pipe pipe2 accept accept4 bind connect getpeername getsockname getsockopt setsockopt listen recv recvfrom "
    "recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto shutdown socketcall socketpair mq_getsetattr "
    "mq_notify "
    "mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv "
    "msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget ipc "
    // asynchronous input and output, random numbers
    "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit getrandom";

json allow(std::vector<std::string> names, json arguments = json::array()) {
  json rule = {{"names", std::move(names)}, {"action", "SCMP_ACT_ALLOW"}};
  if (!arguments.empty()) rule["args"] = std::move(arguments);
  return rule;
}

json argument(unsigned index, std::uint64_t value, const char* comparison, std::uint64_t second = 0) {
  return {{"index", index}, {"value", value}, {"valueTwo", second}, {"op", comparison}};
}

std::vector<std::string> words(const char* text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  std::string word;
  while (stream >> word) found.push_back(word);
  return found;
}

// Not x32, which kernels leave disabled: its rules alone would cost each step some milliseconds, and a call by way of
// it is refused as of an architecture that is not listed.
json architectures() {
#if defined(__aarch64__)
  return {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
  return {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"};
#endif
}

}  // namespace

json seccomp_profile() {
  json rules = json::array();
  rules.push_back(allow(words(kAllowed)));
  // New namespaces would undo most of the rest; every other kind of clone is how programs make processes and threads.
  constexpr std::uint64_t kNamespaces =
      CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
  rules.push_back(allow({"clone"}, {argument(0, kNamespaces, "SCMP_CMP_MASKED_EQ")}));
  // clone3 hides its flags behind a pointer, where no filter can look: "not there" makes C libraries fall back to
  // clone.
  rules.push_back({{"names", {"clone3"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", ENOSYS}});
  // Sockets of every family but that of virtual machines' hosts.
  rules.push_back(allow({"socket"}, {argument(0, AF_VSOCK, "SCMP_CMP_NE")}));
  // Linux, 32-bit Linux, both with the high address space off, and the question what it is now.
  for (std::uint64_t persona : {0x0ULL, 0x8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    rules.push_back(allow({"personality"}, {argument(0, persona, "SCMP_CMP_EQ")}));
  }
  return {{"defaultAction", "SCMP_ACT_ERRNO"},
          {"defaultErrnoRet", EPERM},
          {"architectures", architectures()},
          {"syscalls", std::move(rules)}};
}

}  // namespace ingot::sandbox

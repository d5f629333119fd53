#include "shared/core/log.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/landlock.h"
#include "shared/daemon/sanitizer.h"
#include "shared/daemon/state.h"

#include <errno.h>
#include <seccomp.h>

/* What no daemon of ours ever needs, and what an intruder would want first. */
static const char *const denied_calls[] = {
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"pidfd_getfd",
	"kcmp",
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"chroot",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"mount_setattr",
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"kexec_load",
	"kexec_file_load",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"add_key",
	"request_key",
	"keyctl",
	"reboot",
	"swapon",
	"swapoff",
	"sethostname",
	"setdomainname",
	"setns",
	"unshare",
	"iopl",
	"ioperm",
	"modify_ldt",
	"quotactl",
	"quotactl_fd",
	"acct",
	"settimeofday",
	"clock_settime",
	"clock_settime64",
	"stime",
	"adjtimex",
	"clock_adjtime",
	"clock_adjtime64",
	"nfsservctl",
	"lookup_dcookie",
	"personality",
	"syslog",
	"vhangup",
	"uselib",
	"fanotify_init",
	"name_to_handle_at",
	"open_by_handle_at",
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"capset",
	"mknod",
	"mknodat",
	"migrate_pages",
	"move_pages",
	"mbind",
	"set_mempolicy",
};

/* Unless the configuration names a program. */
static const char *const execute_calls[] = { "execve", "execveat" };

static bool deny(scmp_filter_ctx filter, const char *const *calls, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int number = seccomp_syscall_resolve_name(calls[i]);

		/* Unknown to this libseccomp or to this architecture. */
		if (number == __NR_SCMP_ERROR || number < 0)
			continue;
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0))
			return false;
	}
	return true;
}

#define DENY(filter, calls) deny(filter, calls, sizeof(calls) / sizeof((calls)[0]))

static bool add_rules(scmp_filter_ctx filter, bool executes)
{
	return DENY(filter, denied_calls) && (executes || DENY(filter, execute_calls));
}

static bool filter_calls(bool executes)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done;

	if (!filter)
		return false;
	done = add_rules(filter, executes) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return done;
}

void sandbox_enter(struct daemon *daemon)
{
	const struct daemon_conf *values = conf_values(daemon->conf);

	if (values->sandbox == CONF_SANDBOX_OFF) {
		mx_log(MX_LOG_WARN, "the sandbox is switched off by the configuration", NULL);
		return;
	}
	if (MX_SANITIZED) {
		mx_log(MX_LOG_DEBUG, "no sandbox: sanitizers are built in", NULL);
		return;
	}
	daemon->landlock = landlock_enter(values, &daemon->paths);
	daemon->seccomp = filter_calls(daemon_paths_execute(&daemon->paths));
	if (!daemon->landlock)
		mx_log(MX_LOG_INFO, "the kernel has no Landlock: files are guarded by their modes",
		       NULL);
	if (!daemon->seccomp)
		mx_log(MX_LOG_WARN, "system calls could not be filtered, going on without", NULL);
}

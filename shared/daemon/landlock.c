#include "shared/daemon/landlock.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#define RIGHT_TRUNCATE  (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)

#define RIGHTS_ABI_1 (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)
#define READ         (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Not: execute, make devices. */
#define WRITE                                                                   \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |         \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |           \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | RIGHT_TRUNCATE)
#define EXECUTE     (READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)

/* What the libraries read: resolver, certificates, time zones, locales, the process itself. */
static const char *const system_paths[] = {
	"/etc",
	"/usr",
	"/lib",
	"/lib64",
	"/proc/self",
	"/proc/sys",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/cpuinfo",
	"/sys/devices/system/cpu",
	"/dev/urandom",
	"/dev/random",
	"/run/systemd/resolve",
	"/run/resolvconf",
};

/* Where interpreters, loaders and libraries of programs are. */
static const char *const program_paths[] = { "/usr", "/bin", "/lib", "/lib64" };
#define PROGRAM_PATHS (sizeof(program_paths) / sizeof(program_paths[0]))

struct ruleset {
	int fd;
	uint64_t handled;
};

static uint64_t handled_by(int abi)
{
	uint64_t rights = RIGHTS_ABI_1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= RIGHT_TRUNCATE;
	if (abi >= 5)
		rights |= RIGHT_IOCTL_DEV;
	return rights;
}

/* Paths that are not there need no rule. */
static void allow(const struct ruleset *rules, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & rules->handled };
	struct stat status;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	if (syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		mx_log(MX_LOG_WARN, "the sandbox does not let a path through", "path", path, "why",
		       strerror(errno), NULL);
	close(rule.parent_fd);
}

/* The directory, not the file: editors and certificate tools replace files. */
static void allow_around(const struct ruleset *rules, const char *path, uint64_t rights)
{
	mx_autofree char *copy = mx_strdup(path);

	allow(rules, dirname(copy), rights);
}

static bool is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void allow_path(const struct ruleset *rules, const char *path, uint64_t rights)
{
	char *real;

	if (is_directory(path)) {
		allow(rules, path, rights);
		return;
	}
	allow_around(rules, path, rights);
	/* live/example.org/cert.pem → ../../archive/example.org/cert7.pem */
	real = realpath(path, NULL);
	if (real && !streq(real, path))
		allow_around(rules, real, rights);
	free(real);
}

static void allow_socket(const struct ruleset *rules, const char *address)
{
	if (mx_starts_with(address, "unix:"))
		allow_around(rules, address + strlen("unix:"), WRITE);
}

static uint64_t rights_of(unsigned flags)
{
	if (flags & DAEMON_PATH_EXECUTE)
		return EXECUTE;
	return flags & DAEMON_PATH_WRITE ? WRITE : READ;
}

static void allow_all(const struct ruleset *rules, const struct daemon_conf *values,
		      const struct daemon_paths *paths)
{
	for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++)
		allow(rules, system_paths[i], READ);
	allow(rules, "/dev/null", FILE_RIGHTS);
	allow(rules, values->data_directory, WRITE);
	allow_socket(rules, values->admin);
	for (unsigned i = 0; i < values->listen_count; i++)
		allow_socket(rules, values->listen[i].address);
	for (size_t i = 0; i < paths->len; i++)
		allow_path(rules, paths->items[i].path, rights_of(paths->items[i].flags));
	for (size_t i = 0; daemon_paths_execute(paths) && i < PROGRAM_PATHS; i++)
		allow(rules, program_paths[i], EXECUTE);
}

int landlock_enter(const struct daemon_conf *values, const struct daemon_paths *paths)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = { 0 };
	struct ruleset rules;
	bool done;

	if (abi < 1)
		return 0;
	attr.handled_access_fs = rules.handled = handled_by((int)abi);
	rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules.fd < 0)
		return 0;
	allow_all(&rules, values, paths);
	done = syscall(SYS_landlock_restrict_self, rules.fd, 0) == 0;
	close(rules.fd);
	return done ? (int)abi : 0;
}

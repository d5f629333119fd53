#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/daemon/sanitizer.h"
#include "shared/daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond this, tables with a row for each possible descriptor would be large. */
#define FILES_MAX 1048576

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void privileges_limit(void)
{
	const struct rlimit none = { 0 };

	umask(077);
	setrlimit(RLIMIT_CORE, &none);
	raise_file_limit();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		mx_log(MX_LOG_WARN, "new privileges cannot be ruled out", "why", strerror(errno),
		       NULL);
	/* A leak check at exit looks at the process from outside. */
	if (MX_SANITIZED)
		mx_log(MX_LOG_DEBUG, "the process stays dumpable: sanitizers are built in", NULL);
	else
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int check_owner(const char *path, int fd, struct mx_error *err)
{
	struct stat status;

	if (fstat(fd, &status))
		return mx_fail(err, MX_BAD_CONFIG, "data_directory: %s: %s", path, strerror(errno));
	/* Files made by root could not be opened by the right user next time. */
	if (geteuid() == 0 && status.st_uid != 0)
		return mx_fail(err, MX_BAD_CONFIG,
			       "data_directory: %s belongs to user %u: start the daemon as that "
			       "user, not as root",
			       path, (unsigned)status.st_uid);
	if (status.st_mode & S_IWOTH)
		return mx_fail(err, MX_BAD_CONFIG,
			       "data_directory: everybody may write %s: use mode 0700", path);
	return 0;
}

static int take_lock(const char *path, int directory, int *ret_lock, struct mx_error *err)
{
	int fd = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return mx_fail(err, MX_BAD_CONFIG, "data_directory: %s/lock: %s", path,
			       strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return mx_fail(err, MX_BUSY, "data_directory: %s is in use by a running daemon",
			       path);
	}
	*ret_lock = fd;
	return 0;
}

/* The directory, made if need be. */
static int open_directory(const char *path, int *ret_fd, struct mx_error *err)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return mx_fail(err, MX_BAD_CONFIG, "data_directory: %s: %s", path, strerror(errno));
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return mx_fail(err, MX_BAD_CONFIG, "data_directory: %s: %s", path, strerror(errno));
	return 0;
}

int data_directory_lock(const char *path, int *ret_lock, struct mx_error *err)
{
	int fd, rc = open_directory(path, &fd, err);

	if (rc)
		return rc;
	rc = take_lock(path, fd, ret_lock, err);
	close(fd);
	return rc;
}

int data_directory_take(const char *path, int *ret_lock, struct mx_error *err)
{
	int fd, rc = open_directory(path, &fd, err);

	if (rc)
		return rc;
	rc = check_owner(path, fd, err);
	close(fd);
	return rc ? rc : data_directory_lock(path, ret_lock, err);
}

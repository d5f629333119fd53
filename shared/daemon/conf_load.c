#include "shared/core/error.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/conf_check.h"
#include "shared/daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct mx_str *text, struct mx_error *err)
{
	while (text->len <= CONF_BYTES_MAX) {
		char piece[4096];
		ssize_t got = read(fd, piece, sizeof(piece));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mx_fail(err, MX_BAD_CONFIG, "%s: %s", path, strerror(errno));
		if (got == 0)
			return 0;
		mx_str_add(text, piece, (size_t)got);
	}
	return mx_fail(err, MX_BAD_CONFIG, "%s: is longer than %u bytes", path, CONF_BYTES_MAX);
}

static int read_file(const char *path, struct mx_str *text, struct mx_error *err)
{
	/* Not blocking: a named pipe must not hold up a reload. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	int rc;

	if (fd < 0)
		return mx_fail(err, MX_BAD_CONFIG, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		rc = mx_fail(err, MX_BAD_CONFIG, "%s: is not a regular file", path);
	else
		rc = read_all(fd, path, text, err);
	close(fd);
	return rc;
}

int conf_load(const struct daemon_app *app, const char *path, struct conf **ret_conf,
	      struct mx_str *warnings, struct mx_error *err)
{
	mx_str_auto text = { 0 };
	struct conf *conf;
	int rc = read_file(path, &text, err);

	if (rc == 0)
		rc = conf_parse(app, path, mx_str_slice(&text), &conf, err);
	if (rc)
		return rc;
	rc = conf_check(app, conf, warnings, err);
	if (rc) {
		conf_free(conf);
		return rc;
	}
	*ret_conf = conf;
	return 0;
}

int conf_check_files(const struct daemon_app *app, struct conf *conf, struct mx_error *err)
{
	struct mx_error why = { 0 };
	int rc = app->files_check ? app->files_check(conf_values(conf), &why) : 0;

	if (rc == 0)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s: %s", conf_path(conf), mx_error_text(&why, rc));
}

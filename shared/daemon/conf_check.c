#include "shared/daemon/conf_check.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/tls.h"
#include "shared/daemon/admin_address.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/conf_default.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/paths.h"
#include "shared/net/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_DIRECTORY_MAX 4000
#define CACHE_MB           32
#define NET_THREADS        32
#define CONNECTIONS        16384
#define PER_ADDRESS        256
#define TRANSFERS          256

struct check {
	const struct daemon_app *app;
	struct conf *conf;
	struct daemon_conf *values;
	struct mx_str *warnings;
	struct mx_error *err;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct check *check, const char *key,
							const char *format, ...)
{
	char why[200];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return mx_fail(check->err, MX_BAD_CONFIG, "%s: %s: %s", conf_path(check->conf), key, why);
}

__attribute__((format(printf, 2, 3))) static void warn(const struct check *check,
						       const char *format, ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	mx_str_addf(check->warnings, "%s: %s\n", conf_path(check->conf), why);
}

/* ---- defaults */

static void fill_defaults(const struct check *check)
{
	struct daemon_conf *values = check->values;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned threads = cores > 0 ? (unsigned)cores : 1;

	conf_default_number(&values->http.io_threads, threads);
	conf_default_number(&values->http.work_threads, 2 * threads);
	conf_default_number(&values->http.net_threads, NET_THREADS);
	conf_default_number(&values->http.connections, CONNECTIONS);
	conf_default_number(&values->http.connections_per_address, PER_ADDRESS);
	conf_default_number(&values->outbound.transfers, TRANSFERS);
	if (!values->admin)
		values->admin = mx_strf("unix:%s/admin.sock", values->data_directory);
}

/* ---- single keys */

static int check_limits(const struct check *check)
{
	const struct daemon_conf *values = check->values;
	const struct {
		const char *key;
		unsigned value, max;
	} rows[] = {
		{ "cache_mb", values->cache_mb, 1024 * 1024 },
		{ "http.io_threads", values->http.io_threads, 256 },
		{ "http.work_threads", values->http.work_threads, 1024 },
		{ "http.net_threads", values->http.net_threads, 1024 },
		{ "http.connections", values->http.connections, 1000 * 1000 },
		{ "http.connections_per_address", values->http.connections_per_address,
		  1000 * 1000 },
		{ "outbound.transfers", values->outbound.transfers, 10 * 1000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value > rows[i].max)
			return refuse(check, rows[i].key, "must be at most %u", rows[i].max);
	return 0;
}

static int check_data_directory(const struct check *check)
{
	const char *path = check->values->data_directory;
	struct stat status;

	if (!path)
		return refuse(check, "data_directory", "is missing: where may data be kept?");
	if (path[0] != '/' || strlen(path) > DATA_DIRECTORY_MAX)
		return refuse(check, "data_directory", "must be an absolute path");
	if (stat(path, &status)) {
		warn(check, "data_directory: %s: %s%s", path, strerror(errno),
		     errno == ENOENT ? "; the daemon will try to make it" : "");
		return 0;
	}
	if (!S_ISDIR(status.st_mode))
		return refuse(check, "data_directory", "%s is not a directory", path);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS))
		warn(check, "data_directory: %s may not be written: %s", path, strerror(errno));
	if (status.st_mode & (S_IWGRP | S_IRWXO))
		warn(check, "data_directory: %s is open to others: use mode 0750 or 0700", path);
	return 0;
}

static int check_admin(const struct check *check)
{
	struct admin_address address;
	struct mx_error why = { 0 };

	if (admin_address_parse(check->values->admin, &address, &why))
		return refuse(check, "admin", "%s", why.text);
	return 0;
}

static int check_ranges(const struct check *check, const char *key, char **texts, unsigned count)
{
	struct mx_error why = { 0 };
	struct mx_cidr_set *set;

	if (mx_cidr_set_new((const char *const *)texts, count, &set, &why))
		return refuse(check, key, "%s", why.text);
	mx_cidr_set_free(set);
	return 0;
}

static bool is_ip(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static int check_dns_servers(const struct check *check)
{
	struct mx_slice rest = mx_slice(check->values->outbound.dns_servers), piece;

	while (mx_split_next(&rest, ',', &piece)) {
		struct mx_slice trimmed = mx_trim(piece);
		mx_autofree char *text = mx_strndup(trimmed.ptr, trimmed.len);
		char host[64];
		uint16_t port;

		if (!is_ip(text) && !(host_port_split(text, host, &port) && is_ip(host)))
			return refuse(check, "outbound.dns_servers",
				      "must be addresses such as \"192.0.2.1, [2001:db8::1]:53\"");
	}
	return 0;
}

/* ---- listeners and TLS */

static int check_listener(const struct check *check, unsigned i)
{
	const char *address = check->values->listen[i].address;
	char key[32];

	snprintf(key, sizeof(key), "listen[%u].address", i + 1);
	for (unsigned j = 0; j < i; j++)
		if (streq(address, check->values->listen[j].address) &&
		    check->values->listen[i].port &&
		    check->values->listen[i].port == check->values->listen[j].port)
			return refuse(check, key, "%s is there twice with one port", address);
	if (mx_starts_with(address, "unix:")) {
		if (address[5] != '/' || strlen(address) > ADMIN_PATH_MAX)
			return refuse(check, key,
				      "the socket needs an absolute path of at most "
				      "%d bytes",
				      ADMIN_PATH_MAX);
		return 0;
	}
	if (!is_ip(address))
		return refuse(check, key, "\"%s\" is not an IP address or unix:/path", address);
	if (check->values->listen[i].port == 0)
		warn(check, "listen[%u].port: 0 takes any free port", i + 1);
	return 0;
}

static bool wants_tls(const struct daemon_conf *values)
{
	for (unsigned i = 0; i < values->listen_count; i++)
		if (values->listen[i].tls)
			return true;
	return false;
}

static int check_certificate(const struct check *check)
{
	const struct daemon_conf *values = check->values;
	struct mx_error why = { 0 };
	struct mx_tls *tls;
	int64_t left_ms;

	if (!values->tls.certificate || !values->tls.key)
		return refuse(check, values->tls.certificate ? "tls.key" : "tls.certificate",
			      "is missing, but a listener has tls: true");
	if (mx_tls_load(values->tls.certificate, values->tls.key, &tls, &why))
		return refuse(check, "tls", "%s", why.text);
	left_ms = mx_tls_expires_ms(tls) - mx_now_ms();
	mx_tls_free(tls);
	if (left_ms <= 0)
		warn(check, "tls.certificate: %s has expired", values->tls.certificate);
	else if (left_ms < MX_DAY_MS)
		warn(check, "tls.certificate: %s expires within a day", values->tls.certificate);
	return 0;
}

static int check_listeners(const struct check *check)
{
	const struct daemon_conf *values = check->values;

	if (values->listen_count == 0)
		return refuse(check, "listen", "is missing: no address to listen on");
	for (unsigned i = 0; i < values->listen_count; i++) {
		int rc = check_listener(check, i);

		if (rc)
			return rc;
	}
	return wants_tls(values) ? check_certificate(check) : 0;
}

/* ---- all of it */

static int check_files(const struct check *check)
{
	struct daemon_paths paths = { 0 };
	int rc = 0;

	daemon_paths_collect(check->app, check->conf, &paths);
	for (size_t i = 0; i < paths.len && rc == 0; i++)
		if (paths.items[i].flags & DAEMON_PATH_NEEDED &&
		    faccessat(AT_FDCWD, paths.items[i].path, R_OK, AT_EACCESS))
			rc = mx_fail(check->err, MX_BAD_CONFIG, "%s: %s: %s",
				     conf_path(check->conf), paths.items[i].path, strerror(errno));
	daemon_paths_done(&paths);
	return rc;
}

static int check_app(const struct check *check)
{
	struct mx_error why = { 0 };
	int rc;

	if (!check->app->conf_check)
		return 0;
	rc = check->app->conf_check(check->values, &why);
	if (rc == 0)
		return 0;
	return mx_fail(check->err, MX_BAD_CONFIG, "%s: %s", conf_path(check->conf),
		       mx_error_text(&why, rc));
}

static int check_outbound(const struct check *check)
{
	const struct daemon_conf *values = check->values;
	int rc = check_ranges(check, "http.trusted_proxies", values->http.trusted_proxies,
			      values->http.trusted_proxies_count);

	if (rc == 0)
		rc = check_ranges(check, "outbound.allow", values->outbound.allow,
				  values->outbound.allow_count);
	if (rc == 0)
		rc = check_ranges(check, "outbound.deny", values->outbound.deny,
				  values->outbound.deny_count);
	if (rc == 0 && values->outbound.dns_servers)
		rc = check_dns_servers(check);
	return rc;
}

int conf_check(const struct daemon_app *app, struct conf *conf, struct mx_str *warnings,
	       struct mx_error *err)
{
	const struct check check = { app, conf, conf_values(conf), warnings, err };
	int rc = check_data_directory(&check);

	if (rc)
		return rc;
	fill_defaults(&check);
	rc = check_app(&check);
	conf_default_number(&check.values->cache_mb, CACHE_MB);
	if (rc == 0)
		rc = check_limits(&check);
	if (rc == 0)
		rc = check_admin(&check);
	if (rc == 0)
		rc = check_outbound(&check);
	if (rc == 0)
		rc = check_listeners(&check);
	if (rc == 0)
		rc = check_files(&check);
	return rc;
}

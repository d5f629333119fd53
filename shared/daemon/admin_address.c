#include "shared/daemon/admin_address.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <arpa/inet.h>

bool host_port_split(const char *text, char host[64], uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	struct mx_slice name;
	int64_t port;

	if (!colon || !mx_parse_i64(mx_slice(colon + 1), &port) || port < 1 || port > UINT16_MAX)
		return false;
	name = mx_slice_of(text, (size_t)(colon - text));
	if (name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
		name = mx_slice_of(name.ptr + 1, name.len - 2);
	else if (memchr(name.ptr, ':', name.len))
		return false;
	if (name.len == 0 || name.len >= 64)
		return false;
	memcpy(host, name.ptr, name.len);
	host[name.len] = '\0';
	*ret_port = (uint16_t)port;
	return true;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int parse_unix(const char *text, struct admin_address *ret_address, struct mx_error *err)
{
	const char *path = text + strlen("unix:");

	if (path[0] != '/')
		return mx_fail(err, MX_BAD_CONFIG, "the socket's path must begin with /");
	if (strlen(path) > ADMIN_PATH_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "the socket's path is longer than %d bytes",
			       ADMIN_PATH_MAX);
	*ret_address = (struct admin_address){ .is_unix = true };
	memcpy(ret_address->host, text, strlen(text) + 1);
	return 0;
}

int admin_address_parse(const char *text, struct admin_address *ret_address, struct mx_error *err)
{
	char host[64];
	uint16_t port;

	if (mx_starts_with(text, "unix:"))
		return parse_unix(text, ret_address, err);
	if (!host_port_split(text, host, &port))
		return mx_fail(err, MX_BAD_CONFIG,
			       "must be \"127.0.0.1:PORT\", \"[::1]:PORT\" or \"unix:/path\"");
	if (!is_loopback(host))
		return mx_fail(err, MX_BAD_CONFIG,
			       "%s is not a loopback address: whoever reaches the admin listener "
			       "rules the daemon; use 127.0.0.1, [::1] or unix:/path",
			       host);
	*ret_address = (struct admin_address){ .port = port };
	memcpy(ret_address->host, host, sizeof(host));
	return 0;
}

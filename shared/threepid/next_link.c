#include "shared/threepid/next_link.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/core/str.h"

#include <strings.h>

#define HOST_MAX 255

static int refuse(struct mx_error *err, const char *why)
{
	return mx_fail(err, MX_INVALID_PARAM, "next_link %s", why);
}

/* Behind "https://", or NULL. */
static const char *skip_scheme(const char *link, bool http)
{
	if (strncasecmp(link, "https://", 8) == 0)
		return link + 8;
	return http && strncasecmp(link, "http://", 7) == 0 ? link + 7 : NULL;
}

/* RFC 3986, 3.2. A browser takes a backslash for a slash, and what is no ASCII for something
 * else: neither stands in a host. */
static bool read_host(const char *authority, char ret_host[HOST_MAX + 1])
{
	size_t len = strcspn(authority, "/?#");
	size_t host_len = 0;

	for (; host_len < len && authority[host_len] != ':'; host_len++) {
		char c = authority[host_len];
		bool upper = c >= 'A' && c <= 'Z';

		if (host_len == HOST_MAX || (!upper && !(c >= 'a' && c <= 'z') &&
					     !(c >= '0' && c <= '9') && c != '-' && c != '.'))
			return false;
		ret_host[host_len] = (char)(upper ? c - 'A' + 'a' : c);
	}
	ret_host[host_len] = '\0';
	if (host_len < len)
		host_len += 1 + strspn(authority + host_len + 1, "0123456789");
	return ret_host[0] && host_len == len;
}

static bool is_printable(const char *link)
{
	for (; *link; link++) {
		unsigned char c = (unsigned char)*link;

		if (c <= ' ' || c >= 0x7f || strchr("\\\"<>", c))
			return false;
	}
	return true;
}

int next_link_check(const struct next_link_rules *rules, const char *link, struct mx_error *err)
{
	const char *authority = skip_scheme(link, rules->http);
	char host[HOST_MAX + 1];

	if (!authority)
		return refuse(err, "must begin with https://");
	if (strlen(link) > NEXT_LINK_MAX || !is_printable(link))
		return refuse(err, "is too long or not a URL");
	if (!read_host(authority, host))
		return refuse(err, "has no plain host name");
	for (size_t i = 0; i < rules->hosts_len; i++)
		if (mx_glob_match(mx_slice(rules->hosts[i]), mx_slice(host)))
			return 0;
	return refuse(err, "leads to a host that this service does not lead to");
}

static bool has_sid(struct mx_slice query)
{
	struct mx_slice pair;

	while (mx_split_next(&query, '&', &pair))
		if (pair.len >= 4 && memcmp(pair.ptr, "sid=", 4) == 0)
			return true;
	return false;
}

const char *next_link_with_sid(const char *link, const char *sid, struct mx_arena *mem)
{
	size_t before_fragment = strcspn(link, "#");
	size_t path = strcspn(link, "?#");
	const char *mark = "?";

	if (path < before_fragment) {
		struct mx_slice query = mx_slice_of(link + path + 1, before_fragment - path - 1);

		if (has_sid(query))
			return link;
		mark = query.len ? "&" : "";
	}
	return mx_arena_strf(mem, "%.*s%ssid=%s%s", (int)before_fragment, link, mark, sid,
			     link + before_fragment);
}

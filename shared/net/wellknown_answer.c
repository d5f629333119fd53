#include "shared/net/wellknown_answer.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/id/server_name.h"
#include "shared/json/scan.h"

#include <curl/curl.h>
#include <strings.h>

#define NODES_MAX     1000
#define DEPTH_MAX     20
#define DATE_TEXT_MAX 64
#define SECONDS_MAX   (365 * MX_DAY_MS / MX_SECOND_MS)

int net_wellknown_parse(struct mx_slice body, struct mx_arena *mem, const char **ret_server,
			struct mx_error *err)
{
	static const struct mx_json_limits limits = { .bytes = NET_WELLKNOWN_BYTES,
						      .nodes = NODES_MAX,
						      .depth = DEPTH_MAX };
	struct mx_json_doc doc;
	struct mx_slice server;
	uint32_t member;
	int rc = mx_json_scan(body, &limits, mem, &doc, err);

	if (rc)
		return rc;
	member = mx_json_member(&doc, 0, "m.server");
	if (member == 0 || mx_json_type(&doc, member) != MX_JSON_STRING)
		return mx_fail(err, MX_BAD_JSON, "m.server is missing or no string");
	server = mx_json_string(&doc, member, mem);
	if (!mx_server_name_valid(server))
		return mx_fail(err, MX_INVALID_PARAM, "m.server is no server name");
	*ret_server = mx_arena_slice(mem, server).ptr;
	return 0;
}

struct caching {
	bool no_store, has_max_age, has_expires;
	int64_t max_age_s, age_s;
	int64_t expires_ms, date_ms; /* -1 = not a date */
};

static bool name_is(struct mx_slice name, const char *wanted)
{
	return name.len == strlen(wanted) && strncasecmp(name.ptr, wanted, name.len) == 0;
}

/* RFC 9111, 1.2.2: what does not fit counts as a very long time. */
static bool seconds_parse(struct mx_slice text, int64_t *ret_seconds)
{
	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		text = mx_slice_of(text.ptr + 1, text.len - 2);
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	if (!mx_parse_i64(text, ret_seconds) || *ret_seconds > SECONDS_MAX)
		*ret_seconds = SECONDS_MAX;
	return true;
}

static void read_cache_control(struct mx_slice value, struct caching *caching)
{
	struct mx_slice directive, name;

	while (mx_split_next(&value, ',', &directive)) {
		int64_t seconds = 0;

		mx_split_next(&directive, '=', &name);
		name = mx_trim(name);
		if (name_is(name, "no-store") || name_is(name, "no-cache"))
			caching->no_store = true;
		if (!name_is(name, "max-age"))
			continue;
		/* RFC 9111, 4.2.1: what cannot be read is stale; of two, the shorter one. */
		if (!directive.ptr || !seconds_parse(mx_trim(directive), &seconds))
			seconds = 0;
		if (!caching->has_max_age || seconds < caching->max_age_s)
			caching->max_age_s = seconds;
		caching->has_max_age = true;
	}
}

static int64_t date_parse(struct mx_slice value)
{
	char text[DATE_TEXT_MAX];
	time_t seconds;

	if (value.len >= sizeof(text))
		return -1;
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	seconds = curl_getdate(text, NULL);
	return seconds < 0 || seconds > INT64_MAX / MX_SECOND_MS ? -1 : seconds * MX_SECOND_MS;
}

static void read_line(struct mx_slice line, struct caching *caching)
{
	struct mx_slice name, value = line;

	if (!mx_split_next(&value, ':', &name) || !value.ptr)
		return;
	if (value.len > 0 && value.ptr[value.len - 1] == '\r')
		value.len--;
	value = mx_trim(value);
	if (name_is(name, "cache-control"))
		read_cache_control(value, caching);
	else if (name_is(name, "age") && !seconds_parse(value, &caching->age_s))
		caching->age_s = 0;
	else if (name_is(name, "date"))
		caching->date_ms = date_parse(value);
	else if (name_is(name, "expires")) {
		caching->has_expires = true;
		caching->expires_ms = date_parse(value);
	}
}

struct net_freshness net_wellknown_freshness(struct mx_slice headers, int64_t now_ms)
{
	struct caching caching = { .expires_ms = -1, .date_ms = -1 };
	struct net_freshness fresh = { 0 };
	struct mx_slice line;

	while (mx_split_next(&headers, '\n', &line))
		read_line(line, &caching);
	fresh.given = caching.no_store || caching.has_max_age || caching.has_expires;
	if (caching.no_store)
		return fresh;
	if (caching.has_max_age)
		fresh.lifetime_ms = caching.max_age_s * MX_SECOND_MS;
	else if (caching.expires_ms >= 0)
		fresh.lifetime_ms = caching.expires_ms -
				    (caching.date_ms >= 0 ? caching.date_ms : now_ms);
	fresh.lifetime_ms -= caching.age_s * MX_SECOND_MS;
	if (fresh.lifetime_ms < 0)
		fresh.lifetime_ms = 0;
	return fresh;
}

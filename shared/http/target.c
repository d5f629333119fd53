#include "shared/http/target.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/hex.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"

#include <strings.h>

/* RFC 3986 leaves no place for controls, blanks, bytes beyond ASCII or a fragment. Brackets,
 * braces and the like are forbidden too, but clients send them and nothing reads them wrongly. */
static bool is_uri_byte(unsigned char c)
{
	return c > 0x20 && c < 0x7F && c != '#';
}

static bool has_only_uri_bytes(struct mx_slice raw)
{
	for (size_t i = 0; i < raw.len; i++)
		if (!is_uri_byte((unsigned char)raw.ptr[i]))
			return false;
	return true;
}

/* Behind "http://" or "https://"; 0 if there is no scheme. */
static size_t scheme_len(struct mx_slice raw)
{
	if (raw.len >= 7 && strncasecmp(raw.ptr, "http://", 7) == 0)
		return 7;
	if (raw.len >= 8 && strncasecmp(raw.ptr, "https://", 8) == 0)
		return 8;
	return 0;
}

static size_t authority_len(struct mx_slice rest)
{
	size_t len = 0;

	while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
		len++;
	return len;
}

/* RFC 9112, 3.2.2: a server must accept the absolute form. */
static bool strip_authority(struct mx_slice *raw, struct mx_slice host)
{
	size_t scheme = scheme_len(*raw), len;
	struct mx_slice rest = { raw->ptr + scheme, raw->len - scheme };

	if (scheme == 0)
		return raw->len > 0 && raw->ptr[0] == '/';
	len = authority_len(rest);
	if (len == 0 || len != host.len || strncasecmp(rest.ptr, host.ptr, len) != 0)
		return false;
	*raw = mx_slice_of(rest.ptr + len, rest.len - len);
	return true;
}

/* The byte behind the '%' at text, or -1. NUL is no byte that may come back. */
static int escaped_byte(const char *text)
{
	int high = mx_hex_digit(text[1]);
	int low = high < 0 ? -1 : mx_hex_digit(text[2]);

	if (low < 0 || (high == 0 && low == 0))
		return -1;
	return high << 4 | low;
}

/* In place: a piece never grows. */
bool target_decode(char *text)
{
	char *from = strchr(text, '%');
	char *to = from;

	if (!from)
		return true;
	while (*from) {
		int byte = (unsigned char)*from;

		if (*from == '%') {
			byte = escaped_byte(from);
			if (byte < 0)
				return false;
			from += 2;
		}
		*to++ = (char)byte;
		from++;
	}
	*to = '\0';
	return mx_utf8_valid(mx_slice(text));
}

static bool is_dots(const char *segment)
{
	return streq(segment, ".") || streq(segment, "..");
}

static int add_segment(struct target *target, char *segment, struct mx_error *err)
{
	if (target->len == TARGET_SEGMENTS_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "The path has too many segments");
	if (!target_decode(segment))
		return mx_fail(err, MX_INVALID_PARAM, "A path segment is not encoded correctly");
	if (is_dots(segment))
		return mx_fail(err, MX_INVALID_PARAM, "Dot segments are not accepted");
	target->segments[target->len++] = segment;
	return 0;
}

/* path: without its first '/', writable. */
static int split_path(struct target *target, char *path, struct mx_error *err)
{
	while (*path) {
		char *slash = strchr(path, '/');
		int rc;

		if (slash)
			*slash = '\0';
		rc = add_segment(target, path, err);
		if (rc)
			return rc;
		if (!slash)
			return 0;
		path = slash + 1;
		target->slash = *path == '\0';
	}
	return 0;
}

static unsigned count_pieces(const char *query)
{
	unsigned count = 1;

	for (; *query; query++)
		count += *query == '&';
	return count;
}

static bool split_pair(struct target *target, char *piece)
{
	char *equals = strchr(piece, '=');
	char *value = equals ? equals + 1 : piece + strlen(piece);

	if (*piece == '\0')
		return true;
	if (equals)
		*equals = '\0';
	if (!target_decode(piece) || !target_decode(value))
		return false;
	target->pairs[target->pairs_len++] = (struct target_pair){ piece, value };
	return true;
}

/* https://url.spec.whatwg.org/#urlencoded-parsing: before anything is decoded. */
static void plus_to_blank(char *query)
{
	for (; *query; query++)
		if (*query == '+')
			*query = ' ';
}

static int split_query(struct target *target, char *query, struct mx_arena *mem,
		       struct mx_error *err)
{
	unsigned count = count_pieces(query);

	if (count > TARGET_PAIRS_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "The query has too many parameters");
	target->pairs = mx_arena_calloc(mem, count, sizeof(*target->pairs));
	while (query) {
		char *next = strchr(query, '&');

		if (next)
			*next++ = '\0';
		if (!split_pair(target, query))
			return mx_fail(err, MX_INVALID_PARAM,
				       "A query parameter is not encoded correctly");
		query = next;
	}
	return 0;
}

int target_parse(const struct target_line *line, struct mx_arena *mem, struct target *ret_target,
		 struct mx_error *err)
{
	struct target target = { 0 };
	struct mx_slice raw = line->raw;
	char *path, *query;
	int rc;

	if (!has_only_uri_bytes(raw) || !strip_authority(&raw, line->host))
		return mx_fail(err, MX_BAD_HTTP, "The request target is not valid");
	target.raw = raw.len ? mx_arena_strndup(mem, raw.ptr, raw.len) : "/";
	path = mx_arena_strdup(mem, target.raw);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	if (*path == '/')
		path++;
	if (query && line->plus_is_blank)
		plus_to_blank(query);
	rc = split_path(&target, path, err);
	if (rc == 0 && query)
		rc = split_query(&target, query, mem, err);
	if (rc)
		return rc;
	*ret_target = target;
	return 0;
}

const char *target_query(const struct target *target, const char *name)
{
	for (unsigned i = 0; i < target->pairs_len; i++)
		if (streq(target->pairs[i].name, name))
			return target->pairs[i].value;
	return NULL;
}

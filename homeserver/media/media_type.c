#include "homeserver/media/media_type.h"

#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/core/utf8.h"

#include <ctype.h>
#include <stdint.h>
#include <strings.h>

#define TYPE_MAX       255
#define NAME_MAX_BYTES 255

/* ---- types */

static const char *const inline_types[] = {
	"text/css",     "text/plain", "text/csv",    "application/json", "application/ld+json",
	"image/jpeg",   "image/gif",  "image/png",   "image/apng",       "image/webp",
	"image/avif",   "video/mp4",  "video/webm",  "video/ogg",        "video/quicktime",
	"audio/mp4",    "audio/webm", "audio/aac",   "audio/mpeg",       "audio/ogg",
	"audio/wave",   "audio/wav",  "audio/x-wav", "audio/x-pn-wav",   "audio/flac",
	"audio/x-flac", NULL,
};

static const char *const picture_types[] = {
	"image/jpeg", "image/gif", "image/png", "image/apng", "image/webp", "image/avif", NULL,
};

/* Without parameters, in any case. */
static bool is_among(const char *type, const char *const *types)
{
	size_t len = strcspn(type, "; \t");

	for (; *types; types++)
		if (strlen(*types) == len && strncasecmp(type, *types, len) == 0)
			return true;
	return false;
}

bool media_type_is_inline(const char *type)
{
	return is_among(type, inline_types);
}

bool media_type_is_picture(const char *type)
{
	return is_among(type, picture_types);
}

/* RFC 9110, 5.6.2. */
static size_t token_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) ||
	       (text[len] && strchr("!#$%&'*+-.^_`|~", text[len])))
		len++;
	return len;
}

static bool is_type(const char *type)
{
	size_t main = token_len(type), sub;

	if (main == 0 || type[main] != '/')
		return false;
	sub = token_len(type + main + 1);
	type += main + 1 + sub;
	if (sub == 0 || (*type && *type != ';' && *type != ' '))
		return false;
	for (; *type; type++)
		if (*type < ' ' || *type > '~')
			return false;
	return true;
}

const char *media_type_clean(const char *type, struct mx_arena *mem)
{
	if (!type || strlen(type) > TYPE_MAX || !is_type(type))
		return MEDIA_TYPE_UNKNOWN;
	return mx_arena_strdup(mem, type);
}

/* ---- names */

/* U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: a name that reads otherwise than it
 * is. */
static bool turns_writing(const unsigned char *c, size_t len)
{
	if (len == 2)
		return c[0] == 0xd8 && c[1] == 0x9c;
	if (len != 3 || c[0] != 0xe2)
		return false;
	return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xaa && c[2] <= 0xae))) ||
	       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

static bool is_control(const unsigned char *c, size_t len)
{
	return (len == 1 && (c[0] < ' ' || c[0] == 0x7f)) ||
	       (len == 2 && c[0] == 0xc2 && c[1] < 0xa0);
}

static const char *last_part(const char *name)
{
	const char *part = name;

	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == '\\')
			part = c + 1;
	return part;
}

static void add_clean(struct mx_str *out, const char *name)
{
	struct mx_slice rest = mx_slice(name);

	while (rest.len > 0) {
		size_t len = mx_utf8_step(rest);
		const unsigned char *c = (const unsigned char *)rest.ptr;

		if (out->len + len > NAME_MAX_BYTES)
			return;
		if (len && !is_control(c, len) && !turns_writing(c, len))
			mx_str_add(out, rest.ptr, len);
		len = len ? len : 1;
		rest.ptr += len;
		rest.len -= len;
	}
}

const char *media_name_clean(const char *name, struct mx_arena *mem)
{
	mx_str_auto clean = { 0 };

	if (!name)
		return "";
	add_clean(&clean, last_part(name));
	if (clean.len == 0 || streq(clean.ptr, ".") || streq(clean.ptr, ".."))
		return "";
	return mx_arena_strdup(mem, clean.ptr);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > '~')
			return false;
	return true;
}

static void add_quoted(struct mx_str *out, const char *name)
{
	mx_str_add_text(out, "; filename=\"");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			mx_str_add_char(out, '\\');
		mx_str_add_char(out, *name);
	}
	mx_str_add_char(out, '"');
}

const char *media_disposition(const char *type, const char *name, struct mx_arena *mem)
{
	mx_str_auto value = { 0 };

	mx_str_add_text(&value, media_type_is_inline(type) ? "inline" : "attachment");
	if (*name && is_ascii(name)) {
		add_quoted(&value, name);
	} else if (*name) {
		mx_str_add_text(&value, "; filename*=utf-8''");
		mx_url_add(&value, mx_slice(name));
	}
	return mx_arena_strdup(mem, value.ptr);
}

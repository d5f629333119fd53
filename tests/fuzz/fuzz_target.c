/* A request: the first line is its target, the second its Host. Every piece of an accepted target
 * is the piece between the separators, decoded; written again it means the same; the router finds
 * what the literals and parameters of its paths say. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/http/request.h"
#include "shared/http/router.h"
#include "shared/http/target.h"

static const struct route routes[] = {
	{ GET, "/" },
	{ GET, "/a" },
	{ POST, "/a", .flags = ROUTE_SLASH },
	{ GET, "/a/{x}" },
	{ PUT, "/a/b" },
	{ GET, "/a/{server:server_name}/c" },
	{ GET, "/a/{x}/{y}" },
	{ GET, "/{room:room_id}/event/{event:event_id}/" },
	{ DELETE, "/{u:user_id}/{k:key_id}", .flags = ROUTE_SLASH },
	{ 0 },
};

static struct router *router_of_all(void)
{
	static const struct route *const tables[] = { routes, NULL };
	static struct router *router;

	if (!router)
		FUZZ_ASSERT(router_new(tables, NULL, &router, NULL) == 0);
	return router;
}

static void text_check(const char *text)
{
	FUZZ_ASSERT(mx_utf8_valid(mx_slice(text)));
}

static void shape_check(const struct target *target)
{
	FUZZ_ASSERT(target->len <= TARGET_SEGMENTS_MAX && target->pairs_len <= TARGET_PAIRS_MAX);
	for (unsigned i = 0; i < target->len; i++) {
		text_check(target->segments[i]);
		FUZZ_ASSERT(!streq(target->segments[i], ".") && !streq(target->segments[i], ".."));
	}
	for (unsigned i = 0; i < target->pairs_len; i++) {
		text_check(target->pairs[i].name);
		text_check(target->pairs[i].value);
		FUZZ_ASSERT(target_query(target, target->pairs[i].name));
	}
	for (const char *c = target->raw; *c; c++)
		FUZZ_ASSERT(*c > ' ' && *c < 0x7F && *c != '#');
}

static void add_encoded(struct mx_str *text, const char *piece)
{
	for (; *piece; piece++)
		mx_str_addf(text, "%%%02x", (unsigned char)*piece);
}

/* Everything encoded, so nothing but the separators can separate. */
static void write_again(const struct target *target, struct mx_str *text)
{
	for (unsigned i = 0; i < target->len; i++) {
		mx_str_add_char(text, '/');
		add_encoded(text, target->segments[i]);
	}
	if (target->len == 0 || target->slash)
		mx_str_add_char(text, '/');
	for (unsigned i = 0; i < target->pairs_len; i++) {
		mx_str_add_char(text, i == 0 ? '?' : '&');
		add_encoded(text, target->pairs[i].name);
		mx_str_add_char(text, '=');
		add_encoded(text, target->pairs[i].value);
	}
}

/* All is percent-encoded now, so it means the same in either way of reading. */
static void again_check(const struct target *target, bool plus_is_blank, struct mx_arena *mem)
{
	mx_str_auto text = { 0 };
	struct target_line line = { .host = MX_SLICE(""), .plus_is_blank = plus_is_blank };
	struct target again;

	write_again(target, &text);
	line.raw = mx_str_slice(&text);
	FUZZ_ASSERT(target_parse(&line, mem, &again, NULL) == 0);
	FUZZ_ASSERT(again.len == target->len && again.slash == target->slash);
	for (unsigned i = 0; i < again.len; i++)
		FUZZ_ASSERT(streq(again.segments[i], target->segments[i]));
	FUZZ_ASSERT(again.pairs_len == target->pairs_len);
	for (unsigned i = 0; i < again.pairs_len; i++) {
		FUZZ_ASSERT(streq(again.pairs[i].name, target->pairs[i].name));
		FUZZ_ASSERT(streq(again.pairs[i].value, target->pairs[i].value));
	}
}

/* The slow way: does this row's path match? */
static bool row_matches(const struct route *row, const struct target *target)
{
	struct mx_slice rest = mx_slice(row->path + 1), piece;
	unsigned at = 0;
	bool slash = false;

	while (mx_split_next(&rest, '/', &piece)) {
		bool param = piece.len > 0 && piece.ptr[0] == '{';

		slash = piece.len == 0 && at > 0;
		if (piece.len == 0)
			break;
		if (at == target->len ||
		    !(param ? *target->segments[at] : mx_slice_is(piece, target->segments[at])))
			return false;
		at++;
	}
	return at == target->len && (slash == target->slash || (row->flags & ROUTE_SLASH));
}

static unsigned methods_of(const struct target *target)
{
	unsigned methods = 0;

	for (const struct route *row = routes; row->path; row++)
		if (row_matches(row, target))
			methods |= 1u << row->method;
	return methods;
}

static void params_check(const struct route_entry *entry, const struct target *target)
{
	struct req r = { 0 };

	for (unsigned i = 0; i < entry->params_len; i++) {
		const struct route_param *param = &entry->params[i];

		FUZZ_ASSERT(param->segment < target->len);
		if (param->type)
			param->type->check(&r, target->segments[param->segment]);
	}
}

static void route_check(const struct target *target)
{
	const struct router *router = router_of_all();
	unsigned methods = methods_of(target);

	for (enum http_method method = GET; method <= DELETE; method++) {
		unsigned allowed;
		const struct route_entry *entry = router_find(router, method, target, &allowed);

		FUZZ_ASSERT(!entry == !(methods & 1u << method));
		if (!entry) {
			FUZZ_ASSERT(allowed == methods);
			continue;
		}
		FUZZ_ASSERT(entry->route->method == method && row_matches(entry->route, target));
		params_check(entry, target);
	}
}

static void line_check(const struct target_line *line)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_error err = { 0 };
	struct target target;
	int rc = target_parse(line, mem, &target, &err);

	if (rc) {
		FUZZ_ASSERT((rc == -MX_BAD_HTTP || rc == -MX_INVALID_PARAM) && err.text[0]);
		return;
	}
	shape_check(&target);
	again_check(&target, line->plus_is_blank, mem);
	route_check(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice rest = mx_slice_of(size ? (const char *)data : "", size);
	struct target_line line = { 0 };

	mx_split_next(&rest, '\n', &line.raw);
	if (rest.ptr)
		mx_split_next(&rest, '\n', &line.host);
	line_check(&line);
	line.plus_is_blank = true;
	line_check(&line);
	return 0;
}

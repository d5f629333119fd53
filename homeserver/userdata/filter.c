#include "homeserver/userdata/filter.h"

#include "homeserver/event/event.h"
#include "homeserver/userdata/filter_fields.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/scan.h"

#include <stdatomic.h>
#include <stdlib.h>

#define FILTER_DEPTH_MAX 20

/* A compiled filter and what it stands on. */
struct counted_filter {
	struct filter filter; /* first */
	struct mx_arena *mem;
	_Atomic unsigned refs;
};

/* ---- asking */

static int compare_names(const void *a, const void *b)
{
	return mx_slice_cmp(*(const struct mx_slice *)a, *(const struct mx_slice *)b);
}

/* Only '*' is special here, and each run of other characters may be taken where it is found
 * first: so this takes no steps back. */
static bool glob_matches(struct mx_slice glob, struct mx_slice name)
{
	struct mx_slice piece;

	mx_split_next(&glob, '*', &piece);
	if (name.len < piece.len || memcmp(name.ptr, piece.ptr, piece.len) != 0)
		return false;
	name = mx_slice_of(name.ptr + piece.len, name.len - piece.len);
	while (mx_split_next(&glob, '*', &piece)) {
		const char *found;

		if (!glob.ptr) /* the last one stands at the end */
			return name.len >= piece.len &&
			       memcmp(name.ptr + name.len - piece.len, piece.ptr, piece.len) == 0;
		found = piece.len ? memmem(name.ptr, name.len, piece.ptr, piece.len) : name.ptr;
		if (!found)
			return false;
		found += piece.len;
		name = mx_slice_of(found, name.len - (size_t)(found - name.ptr));
	}
	return name.len == 0;
}

static bool names_has(const struct filter_names *names, struct mx_slice name)
{
	if (names->literals_len && bsearch(&name, names->literals, names->literals_len,
					   sizeof(*names->literals), compare_names))
		return true;
	for (size_t i = 0; i < names->globs_len; i++) {
		if (glob_matches(names->globs[i], name))
			return true;
	}
	return false;
}

static bool names_allow(const struct filter_names *wanted, const struct filter_names *unwanted,
			struct mx_slice name)
{
	return !(unwanted->given && names_has(unwanted, name)) &&
	       (!wanted->given || names_has(wanted, name));
}

bool event_filter_allows_room(const struct event_filter *filter, struct mx_slice room_id)
{
	return names_allow(&filter->rooms, &filter->not_rooms, room_id);
}

bool event_filter_allows_type(const struct event_filter *filter, struct mx_slice type,
			      struct mx_slice sender)
{
	return names_allow(&filter->types, &filter->not_types, type) &&
	       names_allow(&filter->senders, &filter->not_senders, sender);
}

bool event_filter_allows(const struct event_filter *filter, const struct event *event)
{
	if (!event_filter_allows_type(filter, event->type, event->sender))
		return false;
	if (filter->contains_url == FILTER_URL_ANY)
		return true;
	return (mx_json_member(&event->doc, event->content, "url") != 0) ==
	       (filter->contains_url == FILTER_URL_WITH);
}

/* ---- compiling */

struct compiler {
	const struct mx_json_doc *doc;
	struct mx_arena *mem;
	struct mx_error *err;
};

static int bad(const struct compiler *c, const char *place, const char *name, const char *wanted)
{
	return mx_fail(c->err, MX_BAD_JSON, "%s%s must be %s", place, name, wanted);
}

static bool is_type(const struct compiler *c, uint32_t node, enum mx_json_type type)
{
	return mx_json_type(c->doc, node) == type;
}

/* An absent member is 0, one of another type an error. */
static int member_of(const struct compiler *c, uint32_t object, const char *place, const char *name,
		     uint32_t *ret_node)
{
	*ret_node = object == UINT32_MAX ? 0 : mx_json_member(c->doc, object, name);
	if (*ret_node && !is_type(c, *ret_node, MX_JSON_OBJECT))
		return bad(c, place, name, "an object");
	return 0;
}

/* Spec: users begin with '@', rooms with '!'. sigil 0: types, where '*' is special. */
static int names_add(struct filter_names *names, struct mx_slice name, char sigil)
{
	if (sigil && (name.len == 0 || name.ptr[0] != sigil))
		return -MX_BAD_JSON;
	if (sigil || !memchr(name.ptr, '*', name.len)) {
		names->literals[names->literals_len++] = name;
		return 0;
	}
	if (names->globs_len == FILTER_GLOBS_MAX)
		return -MX_BAD_JSON;
	names->globs[names->globs_len++] = name;
	return 0;
}

/* A string of the text, which does not live as long as the filter. */
static struct mx_slice string_of(const struct compiler *c, uint32_t node)
{
	return mx_arena_slice(c->mem, mx_json_string(c->doc, node, c->mem));
}

static int compile_names(const struct compiler *c, uint32_t list, char sigil,
			 struct filter_names *names)
{
	uint32_t count = c->doc->nodes[list].count;
	int rc = 0;

	if (!is_type(c, list, MX_JSON_ARRAY))
		return -MX_BAD_JSON;
	names->given = true;
	names->literals = mx_arena_alloc(c->mem, (count + 1) * sizeof(*names->literals));
	names->globs = sigil ? NULL
			     : mx_arena_alloc(c->mem, FILTER_GLOBS_MAX * sizeof(*names->globs));
	for (uint32_t i = mx_json_first(c->doc, list); rc == 0 && i < mx_json_end(c->doc, list);
	     i = mx_json_next(c->doc, i))
		rc = is_type(c, i, MX_JSON_STRING) ? names_add(names, string_of(c, i), sigil)
						   : -MX_BAD_JSON;
	qsort(names->literals, names->literals_len, sizeof(*names->literals), compare_names);
	return rc;
}

static const struct {
	const char *name;
	size_t offset;
	char sigil;
	const char *wanted;
} lists[] = {
#define LIST(member, sigil, wanted)                                           \
	{                                                                     \
#member, offsetof(struct event_filter, member), sigil, wanted \
	}
	LIST(types, 0, "a list of event types"),  LIST(not_types, 0, "a list of event types"),
	LIST(senders, '@', "a list of user ids"), LIST(not_senders, '@', "a list of user ids"),
	LIST(rooms, '!', "a list of room ids"),   LIST(not_rooms, '!', "a list of room ids"),
#undef LIST
};

static int compile_lists(const struct compiler *c, uint32_t object, const char *place,
			 struct event_filter *filter)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		void *names = (char *)filter + lists[i].offset;
		uint32_t list = mx_json_member(c->doc, object, lists[i].name);

		if (list && compile_names(c, list, lists[i].sigil, names) != 0)
			return bad(c, place, lists[i].name, lists[i].wanted);
	}
	return 0;
}

static int compile_flag(const struct compiler *c, uint32_t object, const char *place,
			const char *name, bool *flag)
{
	uint32_t node = mx_json_member(c->doc, object, name);

	if (!node)
		return 0;
	*flag = is_type(c, node, MX_JSON_TRUE);
	return *flag || is_type(c, node, MX_JSON_FALSE) ? 0 : bad(c, place, name, "true or false");
}

static int compile_flags(const struct compiler *c, uint32_t object, const char *place,
			 struct event_filter *filter)
{
	uint32_t url = mx_json_member(c->doc, object, "contains_url");
	bool with = false;
	int rc = compile_flag(c, object, place, "contains_url", &with);

	if (url)
		filter->contains_url = with ? FILTER_URL_WITH : FILTER_URL_WITHOUT;
	if (rc == 0)
		rc = compile_flag(c, object, place, "lazy_load_members",
				  &filter->lazy_load_members);
	if (rc == 0)
		rc = compile_flag(c, object, place, "include_redundant_members",
				  &filter->include_redundant_members);
	if (rc == 0)
		rc = compile_flag(c, object, place, "unread_thread_notifications",
				  &filter->unread_thread_notifications);
	return rc;
}

static int compile_limit(const struct compiler *c, uint32_t object, const char *place,
			 struct event_filter *filter)
{
	uint32_t node = mx_json_member(c->doc, object, "limit");
	int64_t limit;

	if (!node)
		return 0;
	if (!mx_json_i64(c->doc, node, &limit) || limit < 1)
		return bad(c, place, "limit", "an integer greater than 0");
	filter->limit = limit < FILTER_LIMIT_MAX ? (size_t)limit : FILTER_LIMIT_MAX;
	return 0;
}

static int compile_events(const struct compiler *c, uint32_t object, const char *place,
			  struct event_filter *filter)
{
	int rc = compile_lists(c, object, place, filter);

	if (rc == 0)
		rc = compile_flags(c, object, place, filter);
	return rc ? rc : compile_limit(c, object, place, filter);
}

static const struct {
	const char *name, *place;
	size_t offset;
	bool of_rooms; /* a member of `room` */
} parts[] = {
#define PART(name, member, of_rooms, place)                            \
	{                                                              \
		name, place, offsetof(struct filter, member), of_rooms \
	}
	PART("presence", presence, false, "presence."),
	PART("account_data", account_data, false, "account_data."),
	PART("timeline", timeline, true, "room.timeline."),
	PART("state", state, true, "room.state."),
	PART("ephemeral", ephemeral, true, "room.ephemeral."),
	PART("account_data", room_account_data, true, "room.account_data."),
#undef PART
};

static int compile_parts(const struct compiler *c, uint32_t room, struct filter *filter)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		void *events = (char *)filter + parts[i].offset;
		uint32_t node;
		int rc = member_of(c, parts[i].of_rooms ? room : 0,
				   parts[i].of_rooms ? "room." : "", parts[i].name, &node);

		if (rc == 0 && node)
			rc = compile_events(c, node, parts[i].place, events);
		if (rc)
			return rc;
	}
	return 0;
}

static int compile_format(const struct compiler *c, struct filter *filter)
{
	uint32_t node = mx_json_member(c->doc, 0, "event_format");
	struct mx_slice name;

	if (!node)
		return 0;
	name = is_type(c, node, MX_JSON_STRING) ? mx_json_string(c->doc, node, c->mem)
						: MX_SLICE("");
	filter->federation_format = mx_slice_is(name, "federation");
	if (!filter->federation_format && !mx_slice_is(name, "client"))
		return bad(c, "", "event_format", "\"client\" or \"federation\"");
	return 0;
}

static int compile_fields(const struct compiler *c, struct filter *filter)
{
	uint32_t list = mx_json_member(c->doc, 0, "event_fields");

	if (!list)
		return 0;
	if (!is_type(c, list, MX_JSON_ARRAY) || c->doc->nodes[list].count > FILTER_FIELDS_MAX)
		return bad(c, "", "event_fields", "a list of paths, and not too long");
	for (uint32_t i = mx_json_first(c->doc, list); i < mx_json_end(c->doc, list);
	     i = mx_json_next(c->doc, i)) {
		if (!is_type(c, i, MX_JSON_STRING))
			return bad(c, "", "event_fields", "a list of paths");
	}
	filter->fields = filter_fields_new(c->doc, list, c->mem);
	return 0;
}

static int compile_room(const struct compiler *c, uint32_t room, struct filter *filter)
{
	int rc = compile_events(c, room, "room.", &filter->rooms);

	return rc ? rc : compile_flag(c, room, "room.", "include_leave", &filter->include_leave);
}

static int compile_all(const struct compiler *c, struct filter *filter)
{
	uint32_t room;
	int rc = member_of(c, 0, "", "room", &room);

	if (rc == 0 && room)
		rc = compile_room(c, room, filter);
	if (rc == 0)
		rc = compile_parts(c, room ? room : UINT32_MAX, filter);
	if (rc == 0)
		rc = compile_format(c, filter);
	return rc ? rc : compile_fields(c, filter);
}

/* The document is read with memory of its own: it is larger than what becomes of it. */
static int scan_object(struct mx_slice text, struct mx_arena *mem, struct mx_json_doc *ret_doc,
		       struct mx_error *err)
{
	const struct mx_json_limits limits = {
		.bytes = FILTER_BYTES_MAX,
		.nodes = FILTER_NODES_MAX,
		.depth = FILTER_DEPTH_MAX,
	};
	int rc = mx_json_scan(text, &limits, mem, ret_doc, err);

	if (rc)
		return rc;
	if (mx_json_type(ret_doc, 0) != MX_JSON_OBJECT)
		return mx_fail(err, MX_BAD_JSON, "A filter must be an object");
	return 0;
}

int event_filter_parse(struct mx_slice text, struct mx_arena *mem, struct event_filter *ret_filter,
		       struct mx_error *err)
{
	mx_arena_auto *scratch = mx_arena_new(0);
	struct mx_json_doc doc;
	const struct compiler c = { .doc = &doc, .mem = mem, .err = err };
	struct event_filter filter = { 0 };
	int rc = scan_object(text, scratch, &doc, err);

	if (rc == 0)
		rc = compile_events(&c, 0, "", &filter);
	if (rc == 0)
		*ret_filter = filter;
	return rc;
}

int filter_parse(struct mx_slice text, struct filter **ret_filter, struct mx_error *err)
{
	mx_arena_auto *scratch = mx_arena_new(0);
	struct counted_filter *counted = mx_calloc(1, sizeof(*counted));
	struct mx_json_doc doc;
	struct compiler c = { .doc = &doc, .err = err };
	int rc = scan_object(text, scratch, &doc, err);

	counted->refs = 1;
	counted->mem = c.mem = mx_arena_new(1024);
	if (rc == 0)
		rc = compile_all(&c, &counted->filter);
	if (rc) {
		filter_unref(&counted->filter);
		return rc;
	}
	counted->filter.bytes = sizeof(*counted) + mx_arena_size(counted->mem);
	*ret_filter = &counted->filter;
	return 0;
}

static struct counted_filter *counted_of(struct filter *filter)
{
	return (struct counted_filter *)filter;
}

struct filter *filter_ref(struct filter *filter)
{
	atomic_fetch_add(&counted_of(filter)->refs, 1);
	return filter;
}

void filter_unref(struct filter *filter)
{
	if (!filter || atomic_fetch_sub(&counted_of(filter)->refs, 1) > 1)
		return;
	mx_arena_free(counted_of(filter)->mem);
	mx_free(counted_of(filter));
}

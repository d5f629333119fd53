#include "homeserver/event/event.h"

#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/id/mxid.h"
#include "shared/json/canonical.h"

/* An event with blanks and escapes is longer than its canonical form. */
#define RAW_MAX   (4u * EVENT_BYTES_MAX)
#define NODES_MAX EVENT_BYTES_MAX
#define DEPTH_MAX 200

/* Spec: appendices, "Canonical JSON": ±(2^53-1). */
#define CANONICAL_INT_MAX INT64_C(9007199254740991)

static const char *const unsigned_member[] = { "unsigned", NULL };

/* ---- bytes */

static int scan(struct mx_slice json, size_t max, struct mx_arena *mem, struct mx_json_doc *ret_doc,
		struct mx_error *err)
{
	const struct mx_json_limits limits = { .bytes = max,
					       .nodes = NODES_MAX,
					       .depth = DEPTH_MAX };
	int rc = mx_json_scan(json, &limits, mem, ret_doc, err);

	if (rc == 0 && mx_json_type(ret_doc, 0) != MX_JSON_OBJECT)
		return mx_fail(err, MX_BAD_JSON, "An event is an object");
	return rc == -MX_NOT_JSON ? mx_fail(err, MX_BAD_JSON, "The event is not JSON") : rc;
}

static int canonical(const struct event *event, const struct mx_json_doc *doc, struct mx_str *out,
		     struct mx_error *err)
{
	if (event->version->strict_json)
		return mx_canonical(doc, 0, unsigned_member, out, err);
	return mx_canonical_with_reals(doc, 0, unsigned_member, out, err);
}

static int take_bytes(struct event *event, struct mx_slice json, struct mx_arena *mem,
		      struct mx_error *err)
{
	mx_str_auto bytes = { 0 };
	struct mx_json_doc doc;
	int rc = scan(json, RAW_MAX, mem, &doc, err);

	if (rc == 0)
		rc = canonical(event, &doc, &bytes, err);
	if (rc)
		return rc;
	if (bytes.len > EVENT_BYTES_MAX)
		return mx_fail(err, MX_TOO_LARGE, "The event is larger than %d bytes",
			       EVENT_BYTES_MAX);
	event->json = mx_arena_slice(mem, mx_str_slice(&bytes));
	if (!mx_slice_eq(event->json, json))
		return scan(event->json, EVENT_BYTES_MAX, mem, &event->doc, err);
	event->doc = doc;
	event->doc.text = event->json.ptr;
	return 0;
}

static int check_integers(const struct mx_json_doc *doc, struct mx_error *err)
{
	for (uint32_t node = 0; node < mx_json_end(doc, 0); node++) {
		int64_t value;

		if (mx_json_type(doc, node) != MX_JSON_INTEGER)
			continue;
		if (!mx_json_i64(doc, node, &value) || value > CANONICAL_INT_MAX ||
		    value < -CANONICAL_INT_MAX)
			return mx_fail(err, MX_BAD_JSON, "An integer is beyond 2^53-1");
	}
	return 0;
}

/* ---- members */

struct reader {
	struct event *event;
	struct mx_arena *mem;
	struct mx_error *err;
};

static bool is_too_long(const struct reader *r, struct mx_slice text)
{
	return (r->event->version->byte_lengths ? text.len : mx_utf8_count(text)) > EVENT_TEXT_MAX;
}

/* Absent members leave *ret_text as it is. */
static int read_text(const struct reader *r, const char *key, bool required,
		     struct mx_slice *ret_text)
{
	const struct mx_json_doc *doc = &r->event->doc;
	uint32_t node = mx_json_member(doc, 0, key);
	struct mx_slice text;

	if (!node && !required)
		return 0;
	if (!node || mx_json_type(doc, node) != MX_JSON_STRING)
		return mx_fail(r->err, MX_BAD_JSON, "%s must be a string", key);
	text = mx_json_string(doc, node, r->mem);
	if (is_too_long(r, text))
		return mx_fail(r->err, MX_TOO_LARGE, "%s is longer than %d", key, EVENT_TEXT_MAX);
	*ret_text = text;
	return 0;
}

static int read_integer(const struct reader *r, const char *key, int64_t min, int64_t *ret_value)
{
	uint32_t node = mx_json_member(&r->event->doc, 0, key);
	int64_t value;

	if (!node || !mx_json_i64(&r->event->doc, node, &value) || value < min)
		return mx_fail(r->err, MX_BAD_JSON, "%s must be an integer in its range", key);
	*ret_value = value;
	return 0;
}

static int read_object(const struct reader *r, const char *key, uint32_t *ret_node)
{
	uint32_t node = mx_json_member(&r->event->doc, 0, key);

	if (!node || mx_json_type(&r->event->doc, node) != MX_JSON_OBJECT)
		return mx_fail(r->err, MX_BAD_JSON, "%s must be an object", key);
	*ret_node = node;
	return 0;
}

/* "$id", or before version 3 ["$id", {"sha256": …}]: 0 if it is neither. */
static uint32_t id_node(const struct reader *r, uint32_t item)
{
	const struct mx_json_doc *doc = &r->event->doc;

	if (!r->event->version->hashed_references)
		return mx_json_type(doc, item) == MX_JSON_STRING ? item : 0;
	if (mx_json_type(doc, item) != MX_JSON_ARRAY || doc->nodes[item].count != 2 ||
	    mx_json_type(doc, item + 1) != MX_JSON_STRING)
		return 0;
	return item + 1;
}

static int read_id(const struct reader *r, const char *key, uint32_t item, struct mx_slice *ret_id)
{
	uint32_t node = id_node(r, item);
	struct mx_id parts;

	if (!node)
		return mx_fail(r->err, MX_BAD_JSON, "%s must hold event ids", key);
	*ret_id = mx_json_string(&r->event->doc, node, r->mem);
	return mx_event_id_parse(*ret_id, &parts)
		       ? 0
		       : mx_fail(r->err, MX_BAD_JSON, "%s holds what is no event id", key);
}

static int read_references(const struct reader *r, const char *key, size_t max,
			   const struct mx_slice **ret_ids, size_t *ret_len)
{
	const struct mx_json_doc *doc = &r->event->doc;
	uint32_t list = mx_json_member(doc, 0, key);
	struct mx_slice *ids;
	size_t len = 0;

	if (!list || mx_json_type(doc, list) != MX_JSON_ARRAY)
		return mx_fail(r->err, MX_BAD_JSON, "%s must be a list", key);
	if (doc->nodes[list].count > max)
		return mx_fail(r->err, MX_BAD_JSON, "%s has more than %zu entries", key, max);
	ids = mx_arena_calloc(r->mem, doc->nodes[list].count + 1u, sizeof(*ids));
	for (uint32_t item = mx_json_first(doc, list); item < mx_json_end(doc, list);
	     item = mx_json_next(doc, item)) {
		int rc = read_id(r, key, item, &ids[len++]);

		if (rc)
			return rc;
	}
	*ret_ids = ids;
	*ret_len = len;
	return 0;
}

/* ---- identifiers */

static int check_sender(const struct reader *r)
{
	struct mx_id parts;

	/* Historical rooms have ids of more bytes than may be registered today. */
	if (!mx_user_id_parse(r->event->sender, false, &parts))
		return mx_fail(r->err, MX_BAD_JSON, "sender is not a user id");
	r->event->sender_server = parts.server;
	return 0;
}

static int check_room_id(const struct reader *r)
{
	const struct event *event = r->event;
	struct mx_id parts;

	if (!mx_room_id_parse(event->room_id, &parts))
		return mx_fail(r->err, MX_BAD_JSON, "room_id is not a room id");
	return 0;
}

/* The create event of a room that is named by it has no room_id: it is the room's id. */
static int read_room_id(const struct reader *r)
{
	struct event *event = r->event;
	bool names_room = event->version->create_is_room_id &&
			  event_is(event, TYPE_CREATE, MX_SLICE(""));
	int rc = read_text(r, "room_id", !names_room, &event->room_id);

	if (rc || (names_room && !event->room_id.ptr))
		return rc;
	return check_room_id(r);
}

static int read_event_id(const struct reader *r)
{
	struct event *event = r->event;
	struct mx_id parts;
	int rc;

	if (event->id.ptr)
		return 0;
	if (event->version->event_ids != EVENT_ID_MEMBER) {
		event->id = event_id_of(event, r->mem);
		return 0;
	}
	rc = read_text(r, "event_id", true, &event->id);
	if (rc)
		return rc;
	if (!mx_event_id_parse(event->id, &parts) || !parts.server.ptr)
		return mx_fail(r->err, MX_BAD_JSON, "event_id is not an event id");
	return 0;
}

static int read_redacts(const struct reader *r)
{
	struct event *event = r->event;

	if (!mx_slice_is(event->type, TYPE_REDACTION))
		return 0;
	if (!event->version->redacts_in_content)
		return read_text(r, "redacts", false, &event->redacts);
	event->redacts = event_content_text(event, "redacts", r->mem);
	return 0;
}

/* ---- the whole */

static int read_texts(const struct reader *r)
{
	struct event *event = r->event;
	int rc = read_text(r, "type", true, &event->type);

	if (rc == 0)
		rc = read_text(r, "sender", true, &event->sender);
	if (rc == 0)
		rc = read_text(r, "state_key", false, &event->state_key);
	if (rc == 0)
		rc = check_sender(r);
	return rc ? rc : read_room_id(r);
}

static int read_graph(const struct reader *r)
{
	struct event *event = r->event;
	int rc = read_integer(r, "depth", 0, &event->depth);

	if (rc == 0)
		rc = read_integer(r, "origin_server_ts", INT64_MIN, &event->origin_server_ts);
	if (rc == 0)
		rc = read_references(r, "prev_events", EVENT_PREV_MAX, &event->prev_events,
				     &event->prev_events_len);
	if (rc == 0)
		rc = read_references(r, "auth_events", EVENT_AUTH_MAX, &event->auth_events,
				     &event->auth_events_len);
	return rc;
}

static int read_members(const struct reader *r)
{
	uint32_t unused;
	int rc = read_texts(r);

	if (rc == 0)
		rc = read_graph(r);
	if (rc == 0)
		rc = read_object(r, "content", &r->event->content);
	if (rc == 0)
		rc = read_object(r, "hashes", &unused);
	if (rc == 0)
		rc = read_object(r, "signatures", &unused);
	if (rc == 0)
		rc = read_redacts(r);
	return rc ? rc : read_event_id(r);
}

/* What names a room is known once its own id is. */
static void name_room(struct event *event, struct mx_arena *mem)
{
	char *id;

	if (event->room_id.ptr)
		return;
	id = mx_arena_strndup(mem, event->id.ptr, event->id.len);
	id[0] = '!';
	event->room_id = mx_slice_of(id, event->id.len);
}

int event_parse(const struct room_version *version, struct mx_slice json, struct mx_arena *mem,
		struct event *ret_event, struct mx_error *err)
{
	struct event event = { .version = version };
	const struct reader reader = { &event, mem, err };
	int rc = take_bytes(&event, json, mem, err);

	if (rc == 0 && version->strict_json)
		rc = check_integers(&event.doc, err);
	if (rc == 0)
		rc = read_members(&reader);
	if (rc)
		return rc;
	name_room(&event, mem);
	*ret_event = event;
	return 0;
}

int event_read(const struct room_version *version, struct mx_slice json, struct mx_slice id,
	       struct mx_arena *mem, struct event *ret_event)
{
	struct event event = { .version = version, .json = json, .id = id };
	const struct reader reader = { &event, mem, NULL };
	int rc = scan(json, EVENT_BYTES_MAX, mem, &event.doc, NULL);

	if (rc == 0)
		rc = read_members(&reader);
	if (rc)
		return rc;
	name_room(&event, mem);
	*ret_event = event;
	return 0;
}

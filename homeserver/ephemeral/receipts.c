#include "homeserver/ephemeral/receipts.h"

#include "homeserver/call.h"
#include "homeserver/ephemeral/receipts_db.h"
#include "homeserver/ephemeral/thread.h"
#include "homeserver/room/event_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"
#include "shared/json/scan.h"

#include <stdlib.h>

/* ---- what changed */

static int by_position(const void *a_ptr, const void *b_ptr)
{
	const struct receipt *a = a_ptr, *b = b_ptr;

	return a->position < b->position ? -1 : a->position > b->position;
}

/* Spec: "Servers MUST NOT send the m.read.private receipt to any other user". */
static bool may_see(const struct receipt *receipt, const char *viewer)
{
	return !mx_slice_is(receipt->type, RECEIPT_READ_PRIVATE) ||
	       mx_slice_is(receipt->user_id, viewer);
}

int receipts_changed(const struct hs_call *call, uint32_t room, const char *viewer, uint64_t after,
		     struct receipt_list *ret_list)
{
	size_t kept = 0;
	int rc = after ? receipts_db_log(call, room, after, ret_list)
		       : receipts_db_list(call, room, ret_list);

	if (rc)
		return rc;
	for (size_t i = 0; i < ret_list->len; i++)
		if (may_see(&ret_list->items[i], viewer))
			ret_list->items[kept++] = ret_list->items[i];
	ret_list->len = kept;
	qsort(ret_list->items, kept, sizeof(*ret_list->items), by_position);
	return 0;
}

/* ---- as m.receipt. Spec: {event id: {type: {user: {ts, thread_id}}}} */

static int by_place(const void *a_ptr, const void *b_ptr)
{
	const struct receipt *a = *(const struct receipt *const *)a_ptr;
	const struct receipt *b = *(const struct receipt *const *)b_ptr;
	int diff = mx_slice_cmp(a->thread_id, b->thread_id);

	if (diff == 0)
		diff = mx_slice_cmp(a->event_id, b->event_id);
	if (diff == 0)
		diff = mx_slice_cmp(a->type, b->type);
	return diff ? diff : mx_slice_cmp(a->user_id, b->user_id);
}

static void add_mark(struct mx_str *out, const struct receipt *receipt)
{
	mx_canonical_string(out, receipt->user_id);
	mx_str_addf(out, ":{\"ts\":%lld", (long long)receipt->ts);
	if (receipt->thread_id.len) {
		mx_str_add_text(out, ",\"thread_id\":");
		mx_canonical_string(out, receipt->thread_id);
	}
	mx_str_add_char(out, '}');
}

/* Closes and opens objects between one mark and the next of the same thread. */
static void add_between(struct mx_str *out, const struct receipt *before,
			const struct receipt *next)
{
	bool same_event = before && mx_slice_eq(before->event_id, next->event_id);
	bool same_type = same_event && mx_slice_eq(before->type, next->type);

	if (before)
		mx_str_add_text(out, same_type ? "," : same_event ? "}," : "}},");
	if (!same_event) {
		mx_canonical_string(out, next->event_id);
		mx_str_add_text(out, ":{");
	}
	if (!same_type) {
		mx_canonical_string(out, next->type);
		mx_str_add_text(out, ":{");
	}
}

static size_t add_thread(struct mx_str *out, const struct receipt *const *marks, size_t len)
{
	size_t i;

	mx_str_add_char(out, '{');
	for (i = 0; i < len && mx_slice_eq(marks[i]->thread_id, marks[0]->thread_id); i++) {
		add_between(out, i ? marks[i - 1] : NULL, marks[i]);
		add_mark(out, marks[i]);
	}
	mx_str_add_text(out, "}}}");
	return i;
}

int receipts_contents(const struct hs_call *call, const struct receipt_list *list,
		      struct receipt_contents *ret_contents)
{
	const struct receipt **marks = mx_arena_calloc(call->mem, list->len + 1, sizeof(*marks));
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < list->len; i++)
		marks[i] = &list->items[i];
	qsort(marks, list->len, sizeof(*marks), by_place);
	ret_contents->items = mx_arena_calloc(call->mem, list->len + 1, sizeof(struct mx_slice));
	ret_contents->len = 0;
	for (size_t i = 0; i < list->len;) {
		mx_str_clear(&text);
		i += add_thread(&text, marks + i, list->len - i);
		ret_contents->items[ret_contents->len++] = mx_arena_slice(call->mem,
									  mx_str_slice(&text));
	}
	return 0;
}

/* ---- marking */

static int check_member(const struct hs_call *call, uint32_t room, struct mx_slice user_id,
			struct mx_error *err)
{
	struct member_row row;
	int rc = member_db_load(call, room, user_id, &row);

	if (rc == -MX_NOT_FOUND || (rc == 0 && row.membership != MEMBERSHIP_JOIN))
		return mx_fail(err, MX_FORBIDDEN, "You are not in that room");
	return rc;
}

static int load_event(const struct hs_call *call, uint32_t room, struct mx_slice event_id,
		      struct stored_event *ret_event, struct mx_error *err)
{
	int rc = event_db_load_id(call, room, event_id, ret_event);

	if (rc == -MX_NOT_FOUND || (rc == 0 && ret_event->header.flags & EVENT_HIDDEN))
		return mx_fail(err, MX_NOT_FOUND, "There is no such event in that room");
	return rc;
}

static int check_thread(const struct hs_call *call, const struct stored_event *event,
			const struct receipt *receipt, struct mx_error *err)
{
	int rc;

	if (receipt->thread_id.len == 0)
		return 0;
	if (mx_slice_is(receipt->type, RECEIPT_FULLY_READ))
		return mx_fail(err, MX_INVALID_PARAM, "m.fully_read has no thread_id");
	rc = thread_check(call, event, receipt->thread_id);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_INVALID_PARAM, "The event is not in that thread");
	return rc;
}

static int mark(const struct hs_call *call, uint32_t room, struct receipt *receipt)
{
	const struct stream_entry entry = {
		.kind = STREAM_RECEIPT,
		.room = room,
		.user = receipt->user_id,
		.is_private = mx_slice_is(receipt->type, RECEIPT_READ_PRIVATE),
	};
	struct receipt old = { 0 };
	int rc = receipts_db_load(call, room, receipt, &old);

	if (rc == 0 && old.rseq >= receipt->rseq)
		return 0;
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	receipt->ts = call->now_ms;
	receipts_db_put(call->txn, room, receipt, old.position);
	stream_note(call->txn, &entry);
	return 0;
}

/* Where the marker is now: false if nowhere that is known. */
static bool marker_rseq(const struct hs_call *call, const struct account_data_key *key,
			int64_t *ret_rseq)
{
	struct mx_slice content;
	struct mx_json_doc doc;
	struct stored_event event;
	uint32_t id;

	if (account_data_load(call, key, &content) ||
	    mx_json_scan(content, &mx_json_default_limits, call->mem, &doc, NULL))
		return false;
	id = mx_json_member(&doc, 0, "event_id");
	if (id == 0 || mx_json_type(&doc, id) != MX_JSON_STRING ||
	    event_db_load_id(call, key->room, mx_json_string(&doc, id, call->mem), &event))
		return false;
	*ret_rseq = event.header.rseq;
	return true;
}

static int mark_fully(const struct hs_call *call, uint32_t room, const struct receipt *receipt,
		      struct mx_error *err)
{
	const struct account_data_key key = {
		.user_id = mx_arena_slice(call->mem, receipt->user_id).ptr,
		.room = room,
		.type = RECEIPT_FULLY_READ,
	};
	mx_str_auto content = { 0 };
	int64_t now;

	if (marker_rseq(call, &key, &now) && now >= receipt->rseq)
		return 0;
	mx_str_add_text(&content, "{\"event_id\":");
	mx_canonical_string(&content, receipt->event_id);
	mx_str_add_char(&content, '}');
	return account_data_put(call, &key, mx_str_slice(&content), err);
}

int receipts_mark(const struct hs_call *call, uint32_t room, const struct receipt *receipt,
		  struct mx_error *err)
{
	struct receipt placed = *receipt;
	struct stored_event event;
	int rc = check_member(call, room, receipt->user_id, err);

	if (rc == 0)
		rc = load_event(call, room, receipt->event_id, &event, err);
	if (rc == 0)
		rc = check_thread(call, &event, receipt, err);
	if (rc)
		return rc;
	placed.rseq = event.header.rseq;
	if (mx_slice_is(receipt->type, RECEIPT_FULLY_READ))
		return mark_fully(call, room, &placed, err);
	return mark(call, room, &placed);
}

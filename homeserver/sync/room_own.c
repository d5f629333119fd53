/* What a room's entry in /sync has besides its events: who types, who read what, what the user
 * keeps there. */
#include "homeserver/ephemeral/receipts.h"
#include "homeserver/ephemeral/typing.h"
#include "homeserver/hs.h"
#include "homeserver/json_out.h"
#include "homeserver/sync/room_sync.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"

static bool wants_ephemeral(const struct room_sync *rs, struct mx_slice type)
{
	return event_filter_allows_type(&rs->sync->ask->filter->ephemeral, type, MX_SLICE(""));
}

/* Who left while they typed does not any more, as of the answer that tells of the leaving. */
static bool typists_changed(const struct room_sync *rs, const struct typing_list *list)
{
	if (typing_changed(rs->call.hs->typing, rs->row->room,
			   rs->knows ? rs->sync->ask->since.tick : 0))
		return true;
	return rs->knows && list->len && rs->base.members != rs->timeline.end.members;
}

static void write_typing(struct room_sync *rs)
{
	struct mx_str *out = rs->sync->out;
	struct typing_list list;

	if (!wants_ephemeral(rs, MX_SLICE("m.typing")))
		return;
	typing_list(rs->call.hs->typing, rs->row->room, rs->call.mem, &list);
	if (!typists_changed(rs, &list))
		return;
	json_next(out);
	mx_str_add_text(out, "{\"type\":\"m.typing\",\"content\":{\"user_ids\":[");
	for (size_t i = 0; i < list.len; i++) {
		if (state_reader_membership(&rs->reader, &rs->timeline.end, list.user_ids[i]) !=
		    MEMBERSHIP_JOIN)
			continue;
		json_next(out);
		mx_canonical_string(out, list.user_ids[i]);
	}
	mx_str_add_text(out, "]}}");
}

static int write_receipts(struct room_sync *rs)
{
	struct mx_str *out = rs->sync->out;
	struct receipt_contents contents;
	struct receipt_list list;
	int rc;

	if (!wants_ephemeral(rs, MX_SLICE("m.receipt")))
		return 0;
	rc = receipts_changed(&rs->call, rs->row->room, rs->sync->ask->user_id,
			      rs->knows ? rs->sync->ask->since.position : 0, &list);
	if (rc == 0)
		rc = receipts_contents(&rs->call, &list, &contents);
	for (size_t i = 0; rc == 0 && i < contents.len; i++) {
		json_next(out);
		mx_str_add_text(out, "{\"type\":\"m.receipt\",\"content\":");
		mx_str_add_slice(out, contents.items[i]);
		mx_str_add_char(out, '}');
	}
	return rc;
}

int room_ephemeral_write(struct room_sync *rs, bool *ret_any)
{
	struct mx_str *out = rs->sync->out;
	size_t inside;
	int rc = 0;

	json_key(out, "ephemeral");
	mx_str_add_text(out, "{\"events\":[");
	inside = out->len;
	if (event_filter_allows_room(&rs->sync->ask->filter->ephemeral, rs->head.id)) {
		write_typing(rs);
		rc = write_receipts(rs);
	}
	*ret_any = out->len > inside;
	mx_str_add_text(out, "]}");
	return rc;
}

/* The room's part of what changed; everything if the client does not know the room. */
static int find_account_data(struct room_sync *rs, struct account_data_list *ret_list)
{
	const struct account_data_list *all = &rs->sync->account_data;
	size_t first = 0, end;

	if (!rs->knows && !rs->sync->ask->initial)
		return account_data_changed_in(&rs->call, rs->sync->ask->user_id, rs->row->room, 0,
					       ret_list);
	while (first < all->len && all->items[first].room < rs->row->room)
		first++;
	for (end = first; end < all->len && all->items[end].room == rs->row->room; end++)
		;
	*ret_list = (struct account_data_list){ all->items + first, end - first };
	return 0;
}

int room_account_data_write(struct room_sync *rs, bool *ret_any)
{
	const struct event_filter *filter = &rs->sync->ask->filter->room_account_data;
	struct mx_str *out = rs->sync->out;
	struct account_data_list list = { 0 };
	size_t inside;
	int rc = find_account_data(rs, &list);

	json_key(out, "account_data");
	mx_str_add_text(out, "{\"events\":[");
	inside = out->len;
	if (rc == 0 && event_filter_allows_room(filter, rs->head.id))
		sync_account_data(rs->sync, filter, &list);
	*ret_any = out->len > inside;
	mx_str_add_text(out, "]}");
	return rc;
}

/* Nothing counts before there are push rules that say what. */
void room_unread_write(struct room_sync *rs)
{
	struct mx_str *out = rs->sync->out;

	json_key(out, "unread_notifications");
	mx_str_add_text(out, "{\"highlight_count\":0,\"notification_count\":0}");
	if (!rs->sync->ask->filter->timeline.unread_thread_notifications)
		return;
	json_key(out, "unread_thread_notifications");
	mx_str_add_text(out, "{}");
}

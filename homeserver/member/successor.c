#include "homeserver/member/successor.h"

#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/state_reader.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

/* The id that the room's create event gives; ptr NULL: none. */
static struct mx_slice predecessor_of(struct room_turn *turn)
{
	const struct event *create = turn_state(turn, TYPE_CREATE, "");
	uint32_t predecessor, room_id;

	if (!create)
		return (struct mx_slice){ 0 };
	predecessor = mx_json_member(&create->doc, create->content, "predecessor");
	room_id = predecessor ? mx_json_member(&create->doc, predecessor, "room_id") : 0;
	if (!room_id || mx_json_type(&create->doc, room_id) != MX_JSON_STRING)
		return (struct mx_slice){ 0 };
	return mx_json_string(&create->doc, room_id, turn_call(turn)->mem);
}

static bool names(struct state_reader *reader, const struct room_state *state,
		  struct mx_slice new_id)
{
	struct stored_event tombstone;
	struct mx_slice replacement;

	if (state_reader_load(reader, state, TYPE_TOMBSTONE, MX_SLICE(""), &tombstone))
		return false;
	replacement = event_content_text(&tombstone.event, "replacement_room", reader->call->mem);
	return replacement.ptr && mx_slice_eq(replacement, new_id);
}

/* Whether that old room is here, was the user's, and was upgraded to the new one. */
static bool was_upgraded(const struct hs_call *call, struct mx_slice old_id, const char *user_id,
			 struct mx_slice new_id, uint32_t *ret_old)
{
	struct state_reader reader;
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	struct user_room row;
	bool is_named;

	if (room_db_find(call, old_id, ret_old) || room_db_head(call, *ret_old, head) ||
	    user_room_db_load(call, mx_slice(user_id), *ret_old, &row))
		return false;
	state_reader_init(&reader, call, *ret_old);
	is_named = names(&reader, &head->state, new_id);
	state_reader_done(&reader);
	return is_named;
}

/* ---- m.direct: user → list of rooms */

static bool add_successor(json_t *rooms, const char *old_id, const char *new_id)
{
	const json_t *room;
	bool has_old = false, has_new = false;
	size_t i;

	json_array_foreach (rooms, i, room) {
		has_old = has_old || streq(json_string_value(room), old_id);
		has_new = has_new || streq(json_string_value(room), new_id);
	}
	if (!has_old || has_new)
		return false;
	json_array_append_new(rooms, json_string(new_id));
	return true;
}

static int move_direct(const struct hs_call *call, const char *user_id, const char *old_id,
		       const char *new_id)
{
	const struct account_data_key key = { .user_id = user_id, .type = "m.direct" };
	json_auto_t *direct = NULL;
	struct mx_slice text;
	bool changed = false;
	const char *person;
	json_t *rooms;
	char *written;
	int rc = account_data_load(call, &key, &text);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	direct = json_loadb(text.ptr, text.len, 0, NULL);
	json_object_foreach (direct, person, rooms)
		changed = add_successor(rooms, old_id, new_id) || changed;
	if (!changed)
		return 0;
	written = mx_json_text(direct);
	rc = account_data_put(call, &key, mx_slice(written), NULL);
	mx_free(written);
	return rc;
}

int successor_move_in(struct room_turn *turn, const char *user_id)
{
	const struct hs_call *call = turn_call(turn);
	const struct mx_slice old_id = predecessor_of(turn), new_id = turn_head(turn)->id;
	struct hs_call looking = *call;
	uint32_t old_room = 0;
	bool is_ours;
	int rc;

	if (!old_id.ptr || !id_is_local(call->hs, user_id))
		return 0;
	/* A view of its own: the old room may go on as it likes. */
	looking.txn = NULL;
	looking.view = store_view_begin(call->hs->store);
	is_ours = was_upgraded(&looking, old_id, user_id, new_id, &old_room);
	store_view_end(looking.view);
	if (!is_ours)
		return 0;
	rc = account_data_copy_room(call, user_id, old_room, turn_room(turn));
	return rc ? rc
		  : move_direct(call, user_id, mx_arena_slice(call->mem, old_id).ptr,
				mx_arena_slice(call->mem, new_id).ptr);
}

/* `summary` of a room in /sync: how many, and who, to call a room by that has no name. */
#include "homeserver/event/event_types.h"
#include "homeserver/json_out.h"
#include "homeserver/sync/room_sync.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"

#define HEROES_MAX 5
#define NAME       "m.room.name"
#define ALIAS      "m.room.canonical_alias"

/* Loads as many members as are needed to find the heroes, but not of a city. */
#define HEROES_SCAN_MAX 1000

struct heroes {
	uint32_t items[HEROES_MAX];
	struct mx_slice ids[HEROES_MAX];
	size_t len;
};

static bool has_text(struct room_sync *rs, const char *type, const char *member)
{
	struct stored_event event;
	struct mx_slice text;

	if (state_reader_load(&rs->reader, &rs->timeline.end, type, MX_SLICE(""), &event) != 0)
		return false;
	text = event_content_text(&event.event, member, rs->call.mem);
	return text.ptr && text.len;
}

static void heroes_add(struct heroes *heroes, uint32_t number, struct mx_slice user_id)
{
	if (heroes->len == HEROES_MAX)
		return;
	heroes->ids[heroes->len] = user_id;
	heroes->items[heroes->len++] = number;
}

/* Spec: "the first 5 members of the room, ordered by stream ordering, which are joined or
 * invited", else "the banned and left users". Slots of members are in that order. */
static int heroes_find(struct room_sync *rs, struct heroes *ret_heroes)
{
	const struct mx_slice own = mx_slice(rs->sync->ask->user_id);
	struct heroes here = { 0 }, gone = { 0 };
	struct state_numbers members;
	int rc = state_reader_list(&rs->reader, &rs->timeline.end, STATE_MEMBERS, &members);

	for (size_t i = 0; rc == 0 && i < members.len && i < HEROES_SCAN_MAX; i++) {
		struct stored_event event;
		enum membership membership;

		rc = state_reader_event(&rs->reader, members.items[i], &event);
		if (rc || mx_slice_eq(event.event.state_key, own))
			continue;
		membership = membership_of(event_membership(&event.event));
		if (membership == MEMBERSHIP_JOIN || membership == MEMBERSHIP_INVITE)
			heroes_add(&here, members.items[i], event.event.state_key);
		if (membership == MEMBERSHIP_LEAVE || membership == MEMBERSHIP_BAN)
			heroes_add(&gone, members.items[i], event.event.state_key);
		if (here.len == HEROES_MAX)
			break;
	}
	*ret_heroes = here.len ? here : gone;
	return rc;
}

static int write_heroes(struct room_sync *rs, struct state_set *set)
{
	struct mx_str *out = rs->sync->out;
	struct heroes heroes;
	int rc = heroes_find(rs, &heroes);

	if (rc)
		return rc;
	json_key(out, "m.heroes");
	mx_str_add_char(out, '[');
	for (size_t i = 0; i < heroes.len; i++) {
		json_next(out);
		mx_canonical_string(out, heroes.ids[i]);
		mx_vec_push(set, heroes.items[i]);
	}
	mx_str_add_char(out, ']');
	return 0;
}

int room_summary_write(struct room_sync *rs, struct state_set *heroes)
{
	const struct room_state *end = &rs->timeline.end;
	bool members = !rs->knows || rs->base.members != end->members;
	struct mx_str *out = rs->sync->out;
	struct json_object summary;
	int rc = 0;

	if (!members && rs->base.others == end->others)
		return 0;
	summary = json_begin(out, "summary");
	if (members)
		mx_str_addf(out, "\"m.joined_member_count\":%u,\"m.invited_member_count\":%u",
			    rs->head.joined, rs->head.invited);
	if (!has_text(rs, NAME, "name") && !has_text(rs, ALIAS, "alias"))
		rc = write_heroes(rs, heroes);
	json_end(out, summary);
	return rc;
}

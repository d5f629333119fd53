#include "homeserver/directory/publicrooms.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/directory/published_db.h"
#include "homeserver/event/event_types.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_facts.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdlib.h>
#include <uninorm.h>
#include <unicase.h>

/* Where a room stands: before those with fewer members, then by number. */
struct place {
	uint32_t joined, room;
};

struct listing {
	const struct hs_call *call;
	const struct publicrooms_query *query;
	struct place *places;
	size_t len;
	size_t limit;
	char *term; /* folded; NULL: none */
	json_t *chunk;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	if (one->joined != other->joined)
		return one->joined > other->joined ? -1 : 1;
	return one->room < other->room ? -1 : one->room > other->room;
}

static int find_places(struct listing *listing)
{
	struct room_head *head = mx_arena_alloc(listing->call->mem, sizeof(*head));
	struct published_rooms rooms;
	int rc = published_db_list(listing->call, &rooms);

	if (rc)
		return rc;
	listing->places = mx_arena_calloc(listing->call->mem, rooms.len + 1,
					  sizeof(*listing->places));
	for (size_t i = 0; i < rooms.len; i++)
		if (room_db_head(listing->call, rooms.items[i], head) == 0)
			listing->places[listing->len++] = (struct place){
				head->joined,
				rooms.items[i],
			};
	qsort(listing->places, listing->len, sizeof(*listing->places), compare_places);
	return 0;
}

/* ---- tokens: "f20_7" goes on behind that place, "b20_7" back from it */

static bool parse_token(const char *text, bool *ret_back, struct place *ret_place)
{
	struct mx_slice rest = mx_slice(text), joined;
	int64_t numbers[2];

	if (*text != 'f' && *text != 'b')
		return false;
	*ret_back = *text == 'b';
	rest.ptr++, rest.len--;
	if (!mx_split_next(&rest, '_', &joined) || !mx_parse_i64(joined, &numbers[0]) ||
	    !mx_parse_i64(rest, &numbers[1]) || numbers[0] < 0 || numbers[0] > UINT32_MAX ||
	    numbers[1] < 0 || numbers[1] > UINT32_MAX)
		return false;
	*ret_place = (struct place){ (uint32_t)numbers[0], (uint32_t)numbers[1] };
	return true;
}

static json_t *token_json(char direction, const struct place *place)
{
	return json_sprintf("%c%u_%u", direction, place->joined, place->room);
}

/* ---- filtering */

/* Folded, so that "ÉCOLE" finds "école"; the caller's. */
static char *fold(const char *text)
{
	size_t len = 0;
	uint8_t *folded = u8_casefold((const uint8_t *)text, strlen(text), NULL, UNINORM_NFKC, NULL,
				      &len);
	char *copy = mx_strndup((const char *)folded, folded ? len : 0);

	free(folded);
	return copy;
}

static bool has_term(const struct listing *listing, const char *text)
{
	mx_autofree char *folded = text ? fold(text) : NULL;

	return folded && strstr(folded, listing->term);
}

static bool is_of_type(const json_t *types, const char *type)
{
	const json_t *item;
	size_t i;

	if (!types)
		return true;
	json_array_foreach (types, i, item)
		if (type ? streq(json_string_value(item), type) : json_is_null(item))
			return true;
	return false;
}

static bool is_wanted(const struct listing *listing, const struct room_facts *facts)
{
	if (!is_of_type(listing->query->room_types, facts->room_type))
		return false;
	return !listing->term || has_term(listing, facts->name) ||
	       has_term(listing, facts->topic) || has_term(listing, facts->canonical_alias);
}

/* ---- a page */

/* Adds the room of a place unless it is filtered out. */
static void add_room(struct listing *listing, size_t at, bool back)
{
	struct room_facts facts;
	json_t *row;

	if (room_facts_load(listing->call, listing->places[at].room, &facts) ||
	    !is_wanted(listing, &facts))
		return;
	row = room_facts_json(&facts);
	if (back)
		json_array_insert_new(listing->chunk, 0, row);
	else
		json_array_append_new(listing->chunk, row);
}

/* The first place that is not before this one. */
static size_t find_place(const struct listing *listing, const struct place *place)
{
	size_t at = 0;

	while (at < listing->len && compare_places(&listing->places[at], place) < 0)
		at++;
	return at;
}

/* [*ret_from, *ret_to) are the places that the page covers. */
static void fill_forwards(struct listing *listing, size_t from, size_t *ret_to)
{
	size_t at = from;

	for (; at < listing->len && json_array_size(listing->chunk) < listing->limit; at++)
		add_room(listing, at, false);
	*ret_to = at;
}

static void fill_backwards(struct listing *listing, size_t to, size_t *ret_from)
{
	size_t at = to;

	while (at > 0 && json_array_size(listing->chunk) < listing->limit)
		add_room(listing, --at, true);
	*ret_from = at;
}

static int fill(struct listing *listing, size_t *ret_from, size_t *ret_to, struct mx_error *err)
{
	struct place place = { UINT32_MAX, 0 };
	bool back = false;

	if (listing->query->since && !parse_token(listing->query->since, &back, &place))
		return mx_fail(err, MX_INVALID_PARAM, "since is no token of this server");
	if (back) {
		*ret_to = find_place(listing, &place);
		fill_backwards(listing, *ret_to, ret_from);
		return 0;
	}
	*ret_from = find_place(listing, &place);
	if (listing->query->since && *ret_from < listing->len &&
	    compare_places(&listing->places[*ret_from], &place) == 0)
		++*ret_from;
	fill_forwards(listing, *ret_from, ret_to);
	return 0;
}

static json_t *answer_json(const struct listing *listing, size_t from, size_t to)
{
	json_t *answer = json_pack("{s:O, s:i}", "chunk", listing->chunk,
				   "total_room_count_estimate", (int)listing->len);

	if (to < listing->len && to > 0)
		json_object_set_new(answer, "next_batch",
				    token_json('f', &listing->places[to - 1]));
	if (from > 0 && from < listing->len)
		json_object_set_new(answer, "prev_batch", token_json('b', &listing->places[from]));
	return answer;
}

static size_t limit_of(int64_t limit)
{
	if (limit <= 0)
		return PUBLICROOMS_PAGE;
	return limit > PUBLICROOMS_PAGE_MAX ? PUBLICROOMS_PAGE_MAX : (size_t)limit;
}

int publicrooms_list(const struct hs_call *call, const struct publicrooms_query *query,
		     json_t **ret_answer, struct mx_error *err)
{
	json_auto_t *chunk = json_array();
	mx_autofree char *term = query->term && *query->term ? fold(query->term) : NULL;
	struct listing listing = {
		.call = call,
		.query = query,
		.limit = limit_of(query->limit),
		.term = term,
		.chunk = chunk,
	};
	size_t from, to;
	int rc = find_places(&listing);

	if (rc == 0)
		rc = fill(&listing, &from, &to, err);
	if (rc == 0)
		*ret_answer = answer_json(&listing, from, to);
	return rc;
}

/* ---- what is in it */

static int find_room(const struct hs_call *call, const char *room_id, uint32_t *ret_room,
		     struct mx_error *err)
{
	int rc = room_db_find(call, mx_slice(room_id), ret_room);

	return rc == -MX_NOT_FOUND ? mx_fail(err, MX_NOT_FOUND, "There is no such room here") : rc;
}

int publicrooms_get(const struct hs_call *call, const char *room_id, bool *ret_is_public,
		    struct mx_error *err)
{
	uint32_t room;
	int rc = find_room(call, room_id, &room, err);

	if (rc == 0)
		*ret_is_public = published_db_has(call, room);
	return rc;
}

static bool may_publish(const struct hs_call *call, uint32_t room, const char *user_id)
{
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	struct room_power *power = mx_arena_alloc(call->mem, sizeof(*power));
	struct state_reader reader;
	bool may;

	if (!room_access_is_joined(call, room, user_id) || room_db_head(call, room, head))
		return false;
	state_reader_init(&reader, call, room);
	may = room_power_of_state(power, &reader, &head->state) == 0 &&
	      room_power_may_send_state(power, user_id, TYPE_CANONICAL_ALIAS);
	state_reader_done(&reader);
	return may;
}

int publicrooms_set(const struct hs_call *call, const char *room_id, const char *user_id,
		    bool is_public, struct mx_error *err)
{
	uint32_t room;
	int rc = find_room(call, room_id, &room, err);

	if (rc)
		return rc;
	if (!may_publish(call, room, user_id) && account_check_admin(call, user_id, NULL))
		return mx_fail(err, MX_FORBIDDEN,
			       "You may not change the room's place in the "
			       "directory");
	if (is_public)
		published_db_put(call, room);
	else
		published_db_delete(call, room);
	return 0;
}

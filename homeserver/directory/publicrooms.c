#include "homeserver/directory/publicrooms.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/room/published_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/room_facts.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"

#include <stdlib.h>
#include <uninorm.h>
#include <unicase.h>

#define COUNTED_MS     MX_MINUTE_MS
#define COUNTED_MAX    50000
#define PLACES_AT_ONCE 100
#define COVERED_MAX    10000 /* places of a page that little is found for */

struct listing {
	const struct hs_call *call;
	const struct publicrooms_query *query;
	size_t limit;
	char *term; /* folded; NULL: none */
	struct mx_arena *mem; /* for one room at a time */
	json_t *chunk;
	size_t covered; /* places that the page has shown or left out */
	struct published_place first, last; /* of them */
};

/* ---- tokens: "f20_7" goes on behind that place, "b20_7" back from it */

static bool parse_token(const char *text, bool *ret_back, struct published_place *ret_place)
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
	*ret_place = (struct published_place){ (uint32_t)numbers[0], (uint32_t)numbers[1] };
	return true;
}

static json_t *token_json(char direction, const struct published_place *place)
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

static bool is_full(const struct listing *listing)
{
	return json_array_size(listing->chunk) >= listing->limit || listing->covered >= COVERED_MAX;
}

/* Adds the room of a place unless it is filtered out. */
static void add_room(struct listing *listing, uint32_t room, bool back)
{
	struct hs_call call = *listing->call;
	struct room_facts facts;

	mx_arena_reset(listing->mem);
	call.mem = listing->mem;
	if (room_facts_load(&call, room, &facts) || !is_wanted(listing, &facts))
		return;
	json_array_insert_new(listing->chunk, back ? 0 : json_array_size(listing->chunk),
			      room_facts_json(&facts));
}

static void cover(struct listing *listing, const struct published_place *place, bool back)
{
	if (listing->covered == 0 || back)
		listing->first = *place;
	if (listing->covered == 0 || !back)
		listing->last = *place;
	listing->covered++;
	add_room(listing, place->room, back);
}

static int fill(struct listing *listing, const struct published_place *from, bool back)
{
	struct published_places places;
	struct published_place at = *from;
	size_t i;
	int rc;

	do {
		rc = published_db_scan(listing->call, &at, back, PLACES_AT_ONCE, &places);
		if (rc)
			return rc;
		for (i = 0; i < places.len && !is_full(listing); i++)
			cover(listing, &places.items[i], back);
		at = back ? listing->first : listing->last;
	} while (i == PLACES_AT_ONCE);
	return 0;
}

static int fill_from(struct listing *listing, const char *since, struct mx_error *err)
{
	struct published_place place = { UINT32_MAX, 0 };
	bool back = false;

	if (since && !parse_token(since, &back, &place))
		return mx_fail(err, MX_INVALID_PARAM, "since is no token of this server");
	return fill(listing, &place, back);
}

/* If there is anything that way. */
static int add_token(const struct listing *listing, bool back, json_t *answer)
{
	const struct published_place *from = back ? &listing->first : &listing->last;
	struct published_places places;
	int rc = published_db_scan(listing->call, from, back, 1, &places);

	if (rc == 0 && places.len)
		json_object_set_new(answer, back ? "prev_batch" : "next_batch",
				    token_json(back ? 'b' : 'f', from));
	return rc;
}

static int add_tokens(const struct listing *listing, json_t *answer)
{
	int rc = 0;

	if (listing->covered)
		rc = add_token(listing, false, answer);
	if (listing->covered && rc == 0)
		rc = add_token(listing, true, answer);
	return rc;
}

/* Counting them costs more than a page: what is known of them may be as old as this. */
static uint32_t count_listed(const struct listing *listing)
{
	const struct published_place first = { UINT32_MAX, 0 };
	struct hs_call call = *listing->call;
	struct published_places all;

	call.mem = listing->mem;
	if (call.now_ms - call.hs->listed_counted_ms < COUNTED_MS ||
	    published_db_scan(&call, &first, false, COUNTED_MAX, &all))
		return call.hs->listed_rooms;
	call.hs->listed_counted_ms = call.now_ms;
	call.hs->listed_rooms = (uint32_t)all.len;
	return (uint32_t)all.len;
}

/* A page without others around it has them all. */
static size_t estimate_total(const struct listing *listing, const json_t *answer)
{
	size_t count;

	if (!listing->query->since && !jstr(answer, "next_batch"))
		return listing->covered;
	count = count_listed(listing);
	return count > listing->covered ? count : listing->covered;
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
	json_auto_t *answer = json_pack("{s:O}", "chunk", chunk);
	mx_autofree char *term = query->term && *query->term ? fold(query->term) : NULL;
	mx_arena_auto *mem = mx_arena_new(0);
	struct listing listing = {
		.call = call,
		.query = query,
		.limit = limit_of(query->limit),
		.term = term,
		.mem = mem,
		.chunk = chunk,
	};
	int rc = fill_from(&listing, query->since, err);

	if (rc == 0)
		rc = add_tokens(&listing, answer);
	if (rc)
		return rc;
	json_object_set_new(answer, "total_room_count_estimate",
			    json_integer((json_int_t)estimate_total(&listing, answer)));
	*ret_answer = mx_steal(&answer);
	return 0;
}

/* ---- what is in it */

int publicrooms_get(const struct hs_call *call, const char *room_id, bool *ret_is_public,
		    struct mx_error *err)
{
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	uint32_t room;
	int rc = room_db_find(call, mx_slice(room_id), &room);

	if (rc == 0)
		rc = room_db_head(call, room, head);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no such room here");
	if (rc == 0)
		*ret_is_public = head->is_published;
	return rc;
}

static bool may_publish(struct room_turn *turn, const char *user_id)
{
	struct mx_arena *mem = turn_call(turn)->mem;
	struct room_power *power = mx_arena_alloc(mem, sizeof(*power));

	room_power_of_turn(power, turn, mem);
	return turn_membership(turn, user_id) == MEMBERSHIP_JOIN &&
	       room_power_may_send_state(power, user_id, TYPE_CANONICAL_ALIAS);
}

int publicrooms_set_in(struct room_turn *turn, const char *user_id, bool is_public,
		       struct mx_error *err)
{
	if (!may_publish(turn, user_id) && account_check_admin(turn_call(turn), user_id, NULL))
		return mx_fail(err, MX_FORBIDDEN,
			       "You may not change the room's place in the directory");
	turn_publish(turn, is_public);
	return 0;
}

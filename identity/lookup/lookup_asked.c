#include "identity/lookup/lookup_asked.h"

#include "identity/binding/lookup_cost.h"
#include "identity/identity.h"
#include "identity/source/source.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

static void free_found(void *found)
{
	json_decref(found);
}

int lookup_ask(struct req *r, json_t *found)
{
	const struct identity *identity = r->app;

	if (!sources_are_asked(identity->sources))
		return 0;
	r->kept = found;
	r->kept_free = free_found;
	return -MX_MOVE_NET;
}

json_t *lookup_found(struct req *r)
{
	return r->kept;
}

/* ---- the rest */

struct rest {
	const struct identity_call *call;
	struct threepid threepids[SOURCES_ASKED];
	const char *users[SOURCES_ASKED];
	size_t places[SOURCES_ASKED]; /* in the request */
	size_t len;
};

/* What is no address is nobody's. */
static void add(struct rest *rest, const char *medium, const char *address, size_t place)
{
	if (rest->len == SOURCES_ASKED)
		return;
	if (threepid_parse(medium, address, rest->call->mem, &rest->threepids[rest->len], NULL))
		return;
	rest->places[rest->len++] = place;
}

static void ask(struct rest *rest, const char *asker)
{
	size_t hits = 0;

	sources_ask(rest->call->identity->sources, rest->threepids, rest->len, rest->call->mem,
		    rest->users);
	for (size_t i = 0; i < rest->len; i++)
		hits += rest->users[i] != NULL;
	lookup_cost_settle(rest->call, asker, hits);
}

static struct rest *rest_new(const struct identity_call *call)
{
	struct rest *rest = mx_arena_calloc(call->mem, 1, sizeof(*rest));

	rest->call = call;
	return rest;
}

void lookup_ask_words(const struct identity_call *call, const struct lookup_request *request,
		      json_t *mappings)
{
	struct rest *rest = rest_new(call);
	size_t i;
	json_t *item;

	json_array_foreach ((json_t *)(uintptr_t)request->addresses, i, item) {
		const char *text = json_string_value(item), *blank = strchr(text, ' ');

		if (json_object_get(mappings, text))
			continue;
		add(rest, blank + 1, mx_arena_strndup(call->mem, text, (size_t)(blank - text)), i);
	}
	ask(rest, request->asker);
	for (i = 0; i < rest->len; i++)
		if (rest->users[i])
			json_object_set_new(mappings,
					    json_string_value(json_array_get(request->addresses,
									     rest->places[i])),
					    json_string(rest->users[i]));
}

/* Both lists have the same order, and `found` leaves some out. */
static bool is_next_found(const json_t *found, size_t *at, const json_t *pair)
{
	const json_t *next = json_array_get(found, *at);
	bool is_it = next && json_equal(json_array_get(next, 0), json_array_get(pair, 0)) &&
		     json_equal(json_array_get(next, 1), json_array_get(pair, 1));

	*at += is_it;
	return is_it;
}

void lookup_ask_pairs(const struct identity_call *call, const json_t *threepids, const char *asker,
		      json_t *found)
{
	struct rest *rest = rest_new(call);
	size_t i, at = 0;
	json_t *pair;

	json_array_foreach ((json_t *)(uintptr_t)threepids, i, pair) {
		if (!is_next_found(found, &at, pair))
			add(rest, json_string_value(json_array_get(pair, 0)),
			    json_string_value(json_array_get(pair, 1)), i);
	}
	ask(rest, asker);
	for (i = 0; i < rest->len; i++) {
		pair = json_array_get(threepids, rest->places[i]);
		if (rest->users[i])
			json_array_append_new(found,
					      json_pack("[OOs]", json_array_get(pair, 0),
							json_array_get(pair, 1), rest->users[i]));
	}
}

/* What clients put together from many answers is what one answer tells who asks for the first time:
 * random rooms, random comings and goings, clients that sync now and then. */
#include "homeserver/ingest/turn.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/sync_fixture.h"

#define SEEDS        3
#define STEPS        200
#define ROOMS_MAX    5
#define PEOPLE       3
#define CLIENTS_EACH 3 /* `state`, `state_after`, and one that filters messages only */

static const char *const people[PEOPLE] = { ANN, BEA, CAL };

static const char *const filters[] = {
	NULL,
	"{\"room\":{\"timeline\":{\"limit\":1}}}",
	"{\"room\":{\"timeline\":{\"limit\":3}}}",
	"{\"room\":{\"timeline\":{\"limit\":50}}}",
};

/* What a client knows. */
struct device {
	struct client client;
	json_t *rooms; /* room id → "type key" → event id */
	json_t *joined; /* room id → true */
};

struct world {
	struct hs_fixture *f;
	uint32_t random;
	const char *rooms[ROOMS_MAX];
	size_t rooms_len;
	struct device devices[PEOPLE * CLIENTS_EACH];
};

static uint32_t below(struct world *w, uint32_t bound)
{
	w->random = w->random * 1664525 + 1013904223;
	return (w->random >> 8) % bound;
}

/* ---- clients */

static void apply_events(json_t *room, json_t *events)
{
	json_t *event;
	size_t i;

	json_array_foreach (events, i, event) {
		const char *key = jstr(event, "state_key");
		mx_autofree char *slot = mx_strf("%s %s", jstr(event, "type"), key ? key : "");

		if (key)
			json_object_set(room, slot, json_object_get(event, "event_id"));
	}
}

static void apply_room(json_t *rooms, const char *room_id, const json_t *part)
{
	json_t *room = json_object_get(rooms, room_id);
	bool after = json_object_get(part, "state_after") != NULL;

	if (!room) {
		room = json_object();
		json_object_set_new(rooms, room_id, room);
	}
	apply_events(room, events_of(part, after ? "state_after" : "state"));
	if (!after)
		apply_events(room, events_of(part, "timeline"));
}

static void apply(json_t *rooms, json_t *joined, const json_t *answer)
{
	const char *room_id;
	json_t *part;

	json_object_foreach (jobj(jobj(answer, "rooms"), "join"), room_id, part) {
		apply_room(rooms, room_id, part);
		json_object_set_new(joined, room_id, json_true());
	}
	json_object_foreach (jobj(jobj(answer, "rooms"), "leave"), room_id, part) {
		apply_room(rooms, room_id, part);
		json_object_del(joined, room_id);
	}
	json_object_foreach (jobj(jobj(answer, "rooms"), "invite"), room_id, part)
		json_object_del(joined, room_id);
}

static void device_sync(struct world *w, struct device *device)
{
	json_auto_t *answer = client_sync(w->f, &device->client);

	apply(device->rooms, device->joined, answer);
}

static void sync_somebody(struct world *w)
{
	struct device *device = &w->devices[below(w, PEOPLE * CLIENTS_EACH)];

	if ((size_t)(device - w->devices) % CLIENTS_EACH != 2)
		device->client.filter = filters[below(w, sizeof(filters) / sizeof(*filters))];
	device_sync(w, device);
}

/* ---- happenings; whoever may not simply does not */

static void try_content(struct world *w, const char *sender, const char *type, const char *key,
			json_t *content)
{
	json_auto_t *owned = content;
	const struct event_wish wish = {
		.sender = sender, .type = type, .state_key = key, .content = owned
	};
	const char *event_id;
	int rc = try_event(w->f, w->rooms[below(w, (uint32_t)w->rooms_len)], &wish, &event_id);

	assert_true(rc == 0 || rc == -MX_FORBIDDEN);
}

static void change_member(struct world *w, const char *who)
{
	static const char *const memberships[] = { "join",  "join",   "join", "leave",
						   "leave", "invite", "ban" };
	const char *membership = memberships[below(w, sizeof(memberships) / sizeof(*memberships))];
	const char *whom = below(w, 3) ? who : people[below(w, PEOPLE)];
	mx_autofree char *name = mx_strf("name %u", below(w, 1000));

	try_content(w, who, "m.room.member", whom,
		    json_pack("{s:s, s:s}", "membership", membership, "displayname", name));
}

static void change_state(struct world *w, const char *who)
{
	mx_autofree char *key = mx_strf("%u", below(w, 3));
	mx_autofree char *value = mx_strf("%u", below(w, 1000));

	try_content(w, who, below(w, 2) ? "m.room.topic" : "org.state", below(w, 2) ? "" : key,
		    json_pack("{s:s}", "value", value));
}

static void make_another(struct world *w, const char *who)
{
	static const char *const visibilities[] = { NULL, "joined", "invited", "world_readable" };
	static const char *const versions[] = { "1", "6", "10", "12" };
	const struct room_plan plan = {
		.maker = who,
		.version = versions[below(w, 4)],
		.visibility = visibilities[below(w, 4)],
	};

	if (w->rooms_len < ROOMS_MAX)
		w->rooms[w->rooms_len++] = plan_room(w->f, &plan);
}

static void step(struct world *w)
{
	const char *who = people[below(w, PEOPLE)];

	switch (below(w, 10)) {
	case 0:
	case 1: sync_somebody(w); return;
	case 2:
	case 3:
	case 4: change_member(w, who); return;
	case 5:
	case 6: change_state(w, who); return;
	case 7: make_another(w, who); return;
	default:
		try_content(w, who, "m.room.message", NULL, json_pack("{s:s}", "body", "x"));
		return;
	}
}

/* ---- the comparison */

static void assert_same(const struct device *device, const char *what, json_t *found,
			json_t *wanted)
{
	mx_autofree char *a = NULL, *b = NULL;

	if (json_equal(found, wanted))
		return;
	a = json_dumps(found, JSON_SORT_KEYS | JSON_INDENT(1));
	b = json_dumps(wanted, JSON_SORT_KEYS | JSON_INDENT(1));
	fail_msg("%s of %s (%d): %s\nbut at first: %s", what, device->client.user,
		 (int)device->client.state, a, b);
}

static void compare(struct world *w, struct device *device)
{
	struct client fresh = { .user = device->client.user, .state = device->client.state };
	json_auto_t *rooms = json_object(), *joined = json_object(), *answer = NULL;
	const char *room_id;
	json_t *yes;

	device_sync(w, device);
	answer = client_sync(w->f, &fresh);
	apply(rooms, joined, answer);
	assert_same(device, "rooms", device->joined, joined);
	json_object_foreach (joined, room_id, yes)
		assert_same(device, room_id, json_object_get(device->rooms, room_id),
			    json_object_get(rooms, room_id));
}

static void world_begin(struct world *w, struct hs_fixture *f, uint32_t seed)
{
	*w = (struct world){ .f = f, .random = seed };
	for (size_t i = 0; i < PEOPLE * CLIENTS_EACH; i++) {
		struct device *device = &w->devices[i];

		device->client.user = people[i / CLIENTS_EACH];
		if (i % CLIENTS_EACH == 1)
			device->client.state = SYNC_STATE_AFTER;
		if (i % CLIENTS_EACH == 2)
			device->client.filter =
				"{\"room\":{\"timeline\":{\"types\":[\"m.room.message\"]}}}";
		device->rooms = json_object();
		device->joined = json_object();
	}
	make_another(w, ANN);
}

static void world_end(struct world *w)
{
	for (size_t i = 0; i < PEOPLE * CLIENTS_EACH; i++) {
		json_decref(w->devices[i].rooms);
		json_decref(w->devices[i].joined);
	}
}

static void what_clients_put_together_is_what_there_is(void **state)
{
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;

		world_begin(&w, *state, seed * 7919);
		for (int i = 0; i < STEPS; i++)
			step(&w);
		for (size_t i = 0; i < PEOPLE * CLIENTS_EACH; i++)
			compare(&w, &w.devices[i]);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sync_test(what_clients_put_together_is_what_there_is),
	};

	return cmocka_run_group_tests_name("sync/random", tests, NULL, NULL);
}

/*
 * The rules of rooms, for those who compare them with other servers'. Reads a question in each
 * line and writes an answer in each:
 *   {"version", "events": [PDU…], "rejected": [index…], "states": [[index…]…]}
 *       → [index…], the resolved state; events cite only earlier ones;
 *   {"version", "events": […], "state": [index…], "event": PDU}
 *       → true, or the reason why the state does not allow it;
 *   anything that is no event → {"error": why}.
 */
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"
#include "tests/support/state_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS_MAX 100000

static json_t *failure(const struct mx_error *err)
{
	return json_pack("{s:s}", "error", err->text);
}

static bool is_listed(const json_t *list, size_t index)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if ((size_t)json_integer_value(item) == index)
			return true;
	return false;
}

static bool add_events(struct state_fixture *room, const json_t *question, struct mx_error *err)
{
	const json_t *rejected = json_object_get(question, "rejected");
	json_t *event;
	size_t i;

	json_array_foreach (json_object_get(question, "events"), i, event) {
		mx_autofree char *text = mx_json_text(event);

		if (!state_fixture_add(room, mx_slice(text), is_listed(rejected, i), err))
			return false;
	}
	return true;
}

static struct room_state read_state(struct state_fixture *room, const json_t *indices)
{
	uint32_t *numbers = mx_calloc(json_array_size(indices) + 1, sizeof(*numbers));
	struct room_state state;
	json_t *index;
	size_t i;

	json_array_foreach (indices, i, index)
		numbers[i] = (uint32_t)json_integer_value(index) + 1;
	state = state_fixture_state(room, numbers, json_array_size(indices));
	mx_free(numbers);
	return state;
}

static json_t *indices_of(struct state_fixture *room, const struct room_state *state)
{
	uint32_t *numbers = mx_calloc(EVENTS_MAX, sizeof(*numbers));
	size_t len = state_fixture_numbers(room, state, numbers, EVENTS_MAX);
	json_t *indices = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(indices, json_integer(numbers[i] - 1));
	mx_free(numbers);
	return indices;
}

static json_t *resolve(struct state_fixture *room, const json_t *lists)
{
	struct room_state states[RESOLVE_STATES_MAX], resolved;
	struct mx_error err = { 0 };
	json_t *list;
	size_t i;

	json_array_foreach (lists, i, list)
		states[i] = read_state(room, list);
	if (state_resolve(&room->resolver, states, json_array_size(lists), &resolved, &err))
		return failure(&err);
	return indices_of(room, &resolved);
}

struct lookup {
	struct state_fixture *room;
	struct room_state state;
};

static const struct event *find(void *ctx, const char *type, struct mx_slice state_key)
{
	const struct lookup *lookup = ctx;
	const struct resolver *resolver = &lookup->room->resolver;
	uint32_t slot;

	if (!resolver->slot(resolver->ctx, type, state_key, &slot))
		return NULL;
	return resolver->load(resolver->ctx,
			      room_state_find(resolver->nodes, &lookup->state, slot));
}

static json_t *judge(struct state_fixture *room, const json_t *question)
{
	struct lookup lookup = { room, read_state(room, json_object_get(question, "state")) };
	const struct auth_state state = { find, &lookup };
	mx_autofree char *text = mx_json_text(json_object_get(question, "event"));
	struct mx_error err = { 0 };
	struct event event;

	if (event_parse(room->resolver.version, mx_slice(text), room->mem, &event, &err))
		return failure(&err);
	if (eventauth_check(&event, &state, room->mem, &err))
		return json_string(err.text);
	return json_true();
}

static json_t *answer(const json_t *question)
{
	struct state_fixture room;
	struct mx_error err = { 0 };
	json_t *given;

	state_fixture_init(&room, jstr(question, "version"));
	if (!add_events(&room, question, &err))
		given = failure(&err);
	else if (json_object_get(question, "states"))
		given = resolve(&room, json_object_get(question, "states"));
	else
		given = judge(&room, question);
	state_fixture_done(&room);
	return given;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	mx_crypto_init();
	while (getline(&line, &size, stdin) > 0) {
		json_auto_t *question = json_loads(line, JSON_DECODE_ANY, NULL);
		json_auto_t *given = answer(question);
		mx_autofree char *text = json_dumps(given, JSON_ENCODE_ANY | JSON_COMPACT);

		puts(text);
		fflush(stdout);
	}
	free(line);
	return 0;
}

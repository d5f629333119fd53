/* Redactions: what is left of an event is an event with the same id, of which a second redaction
 * takes nothing more; and it is made of members that the event had. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"

static void check_hash(const struct event *event, const struct event *left)
{
	uint8_t hash[32], left_hash[32];

	event_reference_hash(event, hash);
	event_reference_hash(left, left_hash);
	FUZZ_ASSERT(memcmp(hash, left_hash, sizeof(hash)) == 0);
	FUZZ_ASSERT(mx_slice_eq(event->id, left->id));
}

static void check_names(const struct event *event, const struct event *left)
{
	FUZZ_ASSERT(left->json.len <= event->json.len);
	FUZZ_ASSERT(mx_slice_eq(event->type, left->type));
	FUZZ_ASSERT(mx_slice_eq(event->sender, left->sender));
	FUZZ_ASSERT(mx_slice_eq(event->room_id, left->room_id));
	FUZZ_ASSERT(event_is_state(event) == event_is_state(left));
	FUZZ_ASSERT(event->depth == left->depth);
	FUZZ_ASSERT(event->auth_events_len == left->auth_events_len);
}

static void check_version(const struct room_version *version, struct mx_slice json)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto once = { 0 }, twice = { 0 };
	struct event event, left;

	if (event_parse(version, json, mem, &event, NULL))
		return;
	event_redact(&event, NULL, &once);
	FUZZ_ASSERT(event_parse(version, mx_str_slice(&once), mem, &left, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(left.json, mx_str_slice(&once)));
	check_hash(&event, &left);
	check_names(&event, &left);
	event_redact(&left, NULL, &twice);
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&once), mx_str_slice(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct room_version *version;

	for (size_t i = 0; (version = room_version_at(i)); i++)
		check_version(version, mx_slice_of(size ? (const char *)data : "", size));
	return 0;
}

/* Events: bytes that are an event of a version are so again in their canonical form, with the same
 * id; what they say is within their bounds; and no rule trips over one in an empty room. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/room_version.h"
#include "homeserver/eventauth/eventauth.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

static void check_bounds(const struct event *event)
{
	FUZZ_ASSERT(event->json.len <= EVENT_BYTES_MAX);
	FUZZ_ASSERT(event->id.len > 1 && event->id.len <= EVENT_TEXT_MAX);
	FUZZ_ASSERT(event->room_id.len > 1 && event->room_id.len <= EVENT_TEXT_MAX);
	FUZZ_ASSERT(event->type.len <= EVENT_TEXT_MAX && event->sender.len <= EVENT_TEXT_MAX);
	FUZZ_ASSERT(event->prev_events_len <= EVENT_PREV_MAX);
	FUZZ_ASSERT(event->auth_events_len <= EVENT_AUTH_MAX);
	FUZZ_ASSERT(event->depth >= 0);
}

static void check_again(const struct event *event, struct mx_arena *mem)
{
	uint8_t hash[32], again_hash[32];
	struct event again;

	FUZZ_ASSERT(event_parse(event->version, event->json, mem, &again, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(again.json, event->json));
	FUZZ_ASSERT(mx_slice_eq(again.id, event->id));
	FUZZ_ASSERT(mx_slice_eq(again.room_id, event->room_id));
	FUZZ_ASSERT(event_is_state(&again) == event_is_state(event));
	event_content_hash(event, hash);
	event_content_hash(&again, again_hash);
	FUZZ_ASSERT(memcmp(hash, again_hash, sizeof(hash)) == 0);
	FUZZ_ASSERT(event_hash_matches(&again) == event_hash_matches(event));
}

static const struct event *find_nothing(void *ctx, const char *type, struct mx_slice state_key)
{
	(void)ctx;
	(void)type;
	(void)state_key;
	return NULL;
}

static void check_rules(const struct event *event, struct mx_arena *mem)
{
	const struct auth_state empty = { find_nothing, NULL };
	const struct cited_event itself = { event, false };
	int rc = eventauth_check(event, &empty, mem, NULL);

	FUZZ_ASSERT(rc == 0 || rc == -MX_FORBIDDEN);
	rc = eventauth_check_cited(event, &itself, 1, mem, NULL);
	FUZZ_ASSERT(rc == 0 || rc == -MX_FORBIDDEN);
}

static void check_version(const struct room_version *version, struct mx_slice json)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct event event;
	int rc = event_parse(version, json, mem, &event, NULL);

	FUZZ_ASSERT(rc == 0 || rc == -MX_BAD_JSON || rc == -MX_TOO_LARGE || rc == -MX_NOT_JSON);
	if (rc)
		return;
	check_bounds(&event);
	check_again(&event, mem);
	check_rules(&event, mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct room_version *version;

	for (size_t i = 0; (version = room_version_at(i)); i++)
		check_version(version, mx_slice_of(size ? (const char *)data : "", size));
	return 0;
}

/* Events of every version: what a redaction leaves, and the hashes. A case has
 *   version, event    the event's text, as it came;
 *   redacted          canonical text of what is left;
 *   content_hash, reference_hash, id   of the event. */
#include "homeserver/event/event.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "tests/support/cases.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_hash(const uint8_t hash[32], const char *expected)
{
	mx_str_auto text = { 0 };

	mx_base64_add(&text, hash, 32);
	assert_string_equal(text.ptr, expected);
}

static void parse(const json_t *item, struct mx_slice text, struct mx_arena *mem,
		  struct event *ret_event)
{
	struct mx_error err = { 0 };
	const struct room_version *version = room_version_find(mx_slice(jstr(item, "version")));

	assert_non_null(version);
	if (event_parse(version, text, mem, ret_event, &err))
		fail_msg("%s", err.text);
}

static void a_redaction_leaves_what_it_should(void **state)
{
	const json_t *item = *state;
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto redacted = { 0 };
	struct event event, left;
	uint8_t hash[32];

	parse(item, mx_slice(jstr(item, "event")), mem, &event);
	event_redact(&event, NULL, &redacted);
	assert_string_equal(redacted.ptr, jstr(item, "redacted"));
	event_content_hash(&event, hash);
	assert_hash(hash, jstr(item, "content_hash"));
	event_reference_hash(&event, hash);
	assert_hash(hash, jstr(item, "reference_hash"));
	assert_true(mx_slice_is(event.id, jstr(item, "id")));

	/* What is left is the same event, and nothing more is taken from it. */
	parse(item, mx_str_slice(&redacted), mem, &left);
	assert_true(mx_slice_eq(left.id, event.id));
	mx_str_clear(&redacted);
	event_redact(&left, NULL, &redacted);
	assert_string_equal(redacted.ptr, jstr(item, "redacted"));
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/event_redaction", a_redaction_leaves_what_it_should);
}

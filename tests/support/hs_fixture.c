#include "tests/support/hs_fixture.h"

#include "homeserver/event/event_build.h"
#include "homeserver/event/event_types.h"
#include "homeserver/event/room_version.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/open.h"
#include "homeserver/room/rooms.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"
#include "shared/keys/own_keys.h"

#define ROOMS_BYTES (1024 * 1024)

static void open_keys(struct hs_fixture *f)
{
	mx_autofree char *path = mx_strf("%s/signing.key", f->directory);
	const struct own_keys_conf conf = { .server_name = HS_FIXTURE_SERVER,
					    .signing_file = path,
					    .validity_ms = MX_DAY_MS };
	struct mx_error err = { 0 };

	store_fixture_file(path, "ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n");
	if (own_keys_new(&conf, &f->hs.keys, &err))
		fail_msg("%s", err.text);
}

int hs_fixture_setup(void **state)
{
	const struct store_table *tables[HS_TABLES_MAX + 1];
	struct hs_fixture *f = mx_calloc(1, sizeof(*f));

	mx_crypto_init();
	mx_time_fake(HS_FIXTURE_NOW, HS_FIXTURE_NOW);
	hs_tables(tables);
	f->conf.server_name = (char *)(uintptr_t)HS_FIXTURE_SERVER;
	f->directory = store_fixture_directory();
	open_keys(f);
	f->hs.conf = &f->conf;
	f->hs.store = store_fixture_open(tables);
	f->hs.rooms = rooms_new(&f->hs, ROOMS_BYTES);
	f->hs.started_ms = HS_FIXTURE_NOW;
	f->call.hs = &f->hs;
	f->call.mem = mx_arena_new(0);
	f->call.now_ms = HS_FIXTURE_NOW;
	hs_fixture_write(f);
	*state = f;
	return 0;
}

int hs_fixture_teardown(void **state)
{
	struct hs_fixture *f = *state;

	store_txn_abort(f->call.txn);
	store_view_end(f->call.view);
	mx_arena_free(f->call.mem);
	rooms_free(f->hs.rooms);
	store_close(f->hs.store);
	own_keys_free(f->hs.keys);
	store_fixture_directory_remove(f->directory);
	mx_time_fake(-1, -1);
	mx_free(f);
	return 0;
}

void hs_fixture_write(struct hs_fixture *f)
{
	store_fixture_keep(&f->call.txn, &f->call.view);
	f->call.txn = store_txn_begin(f->hs.store);
}

void hs_fixture_read(struct hs_fixture *f)
{
	store_fixture_keep(&f->call.txn, &f->call.view);
	f->call.view = store_view_begin(f->hs.store);
}

void hs_fixture_at(struct hs_fixture *f, int64_t now_ms)
{
	mx_time_fake(now_ms, now_ms);
	f->call.now_ms = now_ms;
}

/* ---- events */

static struct mx_slice text_or(const json_t *line, const char *key, const char *otherwise)
{
	const char *text = jstr(line, key);

	return mx_slice(text ? text : otherwise);
}

struct event hs_fixture_event(struct hs_fixture *f, json_t *line)
{
	struct own_ring *ring = own_keys_ring(f->hs.keys);
	json_auto_t *content = json_incref(json_object_get(line, "content"));
	struct event_draft draft = {
		.version = room_version_find(text_or(line, "version", ROOM_VERSION_DEFAULT)),
		.server = HS_FIXTURE_SERVER,
		.key = own_ring_signer(ring),
		.room_id = text_or(line, "room", "!room:" HS_FIXTURE_SERVER),
		.type = text_or(line, "type", "m.room.message"),
		.sender = text_or(line, "sender", "@ann:" HS_FIXTURE_SERVER),
		.state_key = mx_slice(jstr(line, "key")),
		.redacts = mx_slice(jstr(line, "redacts")),
		.depth = jint(line, "depth", 1),
		.origin_server_ts = jint(line, "ts", f->call.now_ms),
	};
	struct mx_error err = { 0 };
	struct event event;

	if (!content)
		content = json_object();
	if (draft.version->create_is_room_id && mx_slice_is(draft.type, TYPE_CREATE))
		draft.room_id.ptr = NULL;
	draft.content = content;
	if (event_build(&draft, f->call.mem, &event, &err))
		fail_msg("%s", err.text);
	own_ring_unref(ring);
	json_decref(line);
	return event;
}

int hs_fixture_send(struct room_turn *turn, const char *sender, const char *type, const char *key,
		    json_t *content)
{
	const struct event_wish wish = {
		.sender = sender, .type = type, .state_key = key, .content = content
	};
	const struct event *event;
	int rc = turn_send(turn, &wish, &event, NULL);

	json_decref(content);
	return rc;
}

/*
 * homeserver_replay DIRECTORY: computes all rooms of a stopped homeserver's store once more from
 * their events alone, and says what the store has otherwise. 1 if there is anything; the last line
 * tells how many rooms and events there were.
 */
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/open.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/store/store.h"
#include "tests/support/reference_replay.h"

#include <stdio.h>

struct sums {
	unsigned lines, rooms;
	uint64_t events;
};

static void replay(struct hs *hs, uint32_t room, struct sums *sums)
{
	struct hs_call call = { .hs = hs };
	mx_str_auto out = { 0 };
	struct room_head head;

	call.mem = mx_arena_new(0);
	call.view = store_view_begin(hs->store);
	if (room_db_head(&call, room, &head) == 0) {
		sums->rooms++;
		sums->events += head.next_event - 1;
		sums->lines += reference_replay(&call, room, &out);
		fwrite(out.ptr, 1, out.len, stdout);
	}
	store_view_end(call.view);
	mx_arena_free(call.mem);
}

int main(int argc, char **argv)
{
	const struct store_table *tables[HS_TABLES_MAX + 1];
	const struct store_conf conf = {
		.directory = argc == 2 ? argv[1] : "",
		.tables = tables,
		.stamp_table = &stream_log_table,
	};
	struct mx_error err = { 0 };
	struct sums sums = { 0 };
	struct hs hs = { 0 };
	uint64_t rooms = 0;

	mx_crypto_init();
	hs_tables(tables);
	if (argc != 2 || store_open(&conf, &hs.store, &err) ||
	    store_reserve(hs.store, "room", 1, &rooms, &err)) {
		fprintf(stderr, "homeserver_replay DIRECTORY: %s\n", err.text);
		return 2;
	}
	for (uint32_t room = 1; room < rooms; room++)
		replay(&hs, room, &sums);
	store_close(hs.store);
	printf("%u rooms, %llu events\n", sums.rooms, (unsigned long long)sums.events);
	return sums.lines > 0;
}

#include "homeserver/sync/room_sync.h"

#include "shared/core/error.h"

int room_sync_begin(struct room_sync *rs, struct sync *sync, const struct user_room *row,
		    struct mx_arena *mem)
{
	int rc;

	*rs = (struct room_sync){
		.sync = sync,
		.call = *sync->call,
		.row = row,
		.after = sync->ask->since.position,
	};
	rs->call.mem = mem;
	rc = room_db_head(&rs->call, row->room, &rs->head);
	if (rc == 0)
		state_reader_init(&rs->reader, &rs->call, row->room);
	return rc;
}

void room_sync_end(struct room_sync *rs)
{
	state_reader_done(&rs->reader);
}

int room_sync_was_joined(struct room_sync *rs, uint64_t position, bool *ret_joined)
{
	struct timeline_entry entry;
	int rc = timeline_db_at(&rs->call, rs->row->room, position, &entry);

	*ret_joined = false;
	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	rs->base = entry.after;
	*ret_joined = state_reader_membership(&rs->reader, &entry.after,
					      mx_slice(rs->sync->ask->user_id)) == MEMBERSHIP_JOIN;
	return 0;
}

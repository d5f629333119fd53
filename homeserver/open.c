#include "homeserver/open.h"

#include "homeserver/account/accounts.h"
#include "homeserver/account/short_token_db.h"
#include "homeserver/account/threepids_db.h"
#include "homeserver/directory/alias_db.h"
#include "homeserver/ending/ending.h"
#include "homeserver/ephemeral/people.h"
#include "homeserver/ephemeral/receipts.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media.h"
#include "homeserver/media/media_file.h"
#include "homeserver/message/messages.h"
#include "homeserver/profile/people_db.h"
#include "homeserver/profile/profile_db.h"
#include "homeserver/report/report_db.h"
#include "homeserver/room/block_db.h"
#include "homeserver/room/event_db.h"
#include "homeserver/room/published_db.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/rooms.h"
#include "homeserver/state/state_db.h"
#include "homeserver/stream/stream.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/sync/lazy_members.h"
#include "homeserver/timeline/client_txn_db.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/filter_db.h"
#include "homeserver/userdata/filters.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/keys/own_keys.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"
#include "shared/threepid/claim.h"

#include <assert.h>

/* All tables of the homeserver, by module: a line each, as many add to it. */
/* clang-format off */
static const struct store_table *const *const table_lists[] = {
	account_data_tables,
	accounts_tables,
	alias_tables,
	block_tables,
	client_txn_tables,
	ending_tables,
	event_tables,
	filter_tables,
	media_tables,
	outbox_tables,
	people_tables,
	profile_tables,
	receipt_tables,
	published_tables,
	report_tables,
	room_tables,
	short_token_tables,
	state_tables,
	stream_tables,
	threepids_tables,
	claim_tables,
};
/* clang-format on */

void hs_tables(const struct store_table *ret_tables[HS_TABLES_MAX + 1])
{
	size_t len = 0;

	for (size_t i = 0; i < sizeof(table_lists) / sizeof(table_lists[0]); i++)
		for (const struct store_table *const *table = table_lists[i]; *table; table++) {
			assert(len < HS_TABLES_MAX);
			ret_tables[len++] = *table;
		}
	ret_tables[len] = NULL;
}

/* Parts of the configured memory are for rooms and for what clients were sent, the rest is for the
 * pages of the store. */
#define ROOMS_SHARE 4
#define SENT_SHARE  8

static size_t cache_bytes(const struct hs *hs)
{
	return (size_t)hs->conf->daemon.cache_mb * 1024 * 1024;
}

static int open_store(struct hs *hs, struct mx_error *err)
{
	const struct store_table *tables[HS_TABLES_MAX + 1];
	const struct store_conf conf = {
		.tables = tables,
		.stamp_table = &stream_log_table,
		.cache_bytes = cache_bytes(hs) - cache_bytes(hs) / ROOMS_SHARE -
			       cache_bytes(hs) / SENT_SHARE,
	};

	hs_tables(tables);
	return daemon_store(hs->daemon, &conf, &hs->store, err);
}

#define MEBIBYTE (UINT64_C(1024) * 1024)

static uint64_t upload_max(void *hs)
{
	return conf_of(hs)->media.max_upload_mb * MEBIBYTE;
}

static void hold_media(void *hs)
{
	media_files_hold(media_files_of(((struct hs *)hs)->media));
}

static void release_media(void *hs)
{
	media_files_release(media_files_of(((struct hs *)hs)->media));
}

static int open_media(struct hs *hs, struct mx_error *err)
{
	int rc = daemon_spool(hs->daemon, upload_max, err);

	if (rc == 0)
		rc = media_new(hs, &hs->media, err);
	if (rc == 0)
		daemon_tree(hs->daemon,
			    &(struct daemon_tree){ "media", hold_media, release_media, hs });
	return rc;
}

static int open_keys(struct hs *hs, struct mx_error *err)
{
	const struct own_keys_conf conf = {
		.server_name = hs->conf->server_name,
		.signing_file = hs->conf->keys.signing_file,
		.validity_ms = (int64_t)hs->conf->keys.validity_hours * MX_HOUR_MS,
	};

	return own_keys_new(&conf, &hs->keys, err);
}

/* What happens in rooms, and who is told. */
static void open_rooms(struct hs *hs)
{
	hs->stream = stream_new(hs);
	hs->rooms = rooms_new(hs, cache_bytes(hs) / ROOMS_SHARE);
}

int hs_open(struct hs *hs, struct mx_error *err)
{
	int rc = open_store(hs, err);

	hs->filters = filters_new();
	hs->lazy_members = lazy_members_new(cache_bytes(hs) / SENT_SHARE);
	if (rc == 0)
		open_rooms(hs);
	if (rc == 0)
		rc = daemon_net(hs->daemon, &hs->net, err);
	if (rc == 0)
		rc = accounts_open(hs, err);
	if (rc == 0)
		rc = open_keys(hs, err);
	if (rc == 0)
		rc = messages_open(hs, err);
	if (rc == 0)
		rc = open_media(hs, err);
	if (rc == 0)
		people_open(hs);
	return rc;
}

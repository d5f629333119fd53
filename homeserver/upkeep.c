#include "homeserver/upkeep.h"

#include "homeserver/account/address_claim.h"
#include "homeserver/account/short_token.h"
#include "homeserver/account/uia.h"
#include "homeserver/ending/ending.h"
#include "homeserver/ending/idle_guests.h"
#include "homeserver/hs.h"
#include "homeserver/media/media.h"
#include "homeserver/stream/stream_db.h"
#include "homeserver/timeline/client_txn_db.h"
#include "shared/core/time.h"

/* Whoever follows the log and is further behind reads the tables themselves. */
#define STREAM_KEPT 100000

static size_t reap_tokens(void *ctx, int64_t now_ms)
{
	struct hs *hs = ctx;

	return short_token_reap(hs->store, now_ms);
}

static size_t trim_stream(void *ctx, int64_t now_ms)
{
	const struct hs *hs = ctx;

	(void)now_ms;
	return stream_db_trim(hs->store, STREAM_KEPT);
}

static size_t reap_client_txns(void *ctx, int64_t now_ms)
{
	return client_txn_reap(ctx, now_ms);
}

/* A line each, as many add to it. */
const struct chore upkeep_chores[] = {
	{ "claims to addresses", MX_HOUR_MS, address_claims_reap },
	{ "accounts that ended", 10 * MX_MINUTE_MS, endings_finish, .at_start = true },
	{ "guests who come no more", MX_DAY_MS, idle_guests_end },
	{ "log-in and OpenID tokens that are over", MX_HOUR_MS, reap_tokens },
	{ "interactive authentications that nobody ended", MX_HOUR_MS, uia_reap },
	{ "old entries of the stream", MX_HOUR_MS, trim_stream },
	{ "ids of media without content", MX_HOUR_MS, media_drop_void },
	{ "files of no media", MX_DAY_MS, media_sweep, .at_start = true },
	{ "transaction ids of clients", MX_HOUR_MS, reap_client_txns },
};

const size_t upkeep_chores_len = sizeof(upkeep_chores) / sizeof(upkeep_chores[0]);

#include "homeserver/upkeep.h"

#include "homeserver/account/short_token.h"
#include "homeserver/account/uia.h"
#include "homeserver/hs.h"
#include "shared/core/time.h"

static size_t reap_tokens(void *ctx, int64_t now_ms)
{
	struct hs *hs = ctx;

	return short_token_reap(hs->store, now_ms);
}

/* A line each, as many add to it. */
const struct chore upkeep_chores[] = {
	{ "log-in and OpenID tokens that are over", MX_HOUR_MS, reap_tokens },
	{ "interactive authentications that nobody ended", MX_HOUR_MS, uia_reap },
};

const size_t upkeep_chores_len = sizeof(upkeep_chores) / sizeof(upkeep_chores[0]);

#include "identity/reaping.h"

#include "identity/account/account.h"
#include "identity/audit/audit.h"
#include "identity/binding/binding.h"
#include "identity/census.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "identity/replication/replication.h"
#include "shared/core/time.h"
#include "shared/threepid/claim.h"

/* Small transactions: nobody waits for them. */
#define ONCE  500
#define ROUND 100000

static size_t reap_tokens(void *ctx, int64_t now_ms)
{
	struct identity *identity = ctx;

	return account_reap(identity->store, now_ms);
}

static size_t reap_sessions(void *ctx, int64_t now_ms)
{
	struct identity *identity = ctx;
	size_t all = 0, reaped;

	do {
		reaped = claim_reap(identity->store, now_ms, ONCE);
		all += reaped;
	} while (reaped == ONCE && all < ROUND);
	return all;
}

static size_t reap_invites(void *ctx, int64_t now_ms)
{
	return invite_reap(ctx, now_ms);
}

static size_t reap_audit(void *ctx, int64_t now_ms)
{
	struct identity *identity = ctx;
	int64_t before_ms = now_ms - conf_of(identity)->audit.days * MX_DAY_MS;
	size_t all = 0, reaped;

	do {
		reaped = audit_reap(identity->store, before_ms, ONCE);
		all += reaped;
	} while (reaped == ONCE && all < ROUND);
	return all;
}

static size_t reap_bindings(void *ctx, int64_t now_ms)
{
	struct identity *identity = ctx;

	return binding_reap(identity->store,
			    now_ms - conf_of(identity)->binding.forget_days * MX_DAY_MS,
			    replication_told(identity));
}

static size_t count(void *ctx, int64_t now_ms)
{
	census_take(ctx, now_ms);
	return 0;
}

const struct chore reaping_chores[] = {
	{ "census", CENSUS_MS, count, .at_start = true },
	{ "validation sessions", 10 * MX_MINUTE_MS, reap_sessions },
	{ "access tokens that nobody used", 6 * MX_HOUR_MS, reap_tokens },
	{ "invites that are over", 6 * MX_HOUR_MS, reap_invites },
	{ "addresses that were unbound", MX_DAY_MS, reap_bindings },
	{ "old entries of the audit log", 6 * MX_HOUR_MS, reap_audit },
};

const size_t reaping_chores_len = sizeof(reaping_chores) / sizeof(reaping_chores[0]);

#include "identity/census.h"

#include "identity/account/account_db.h"
#include "identity/binding/binding.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/sms/sms.h"
#include "shared/core/arena.h"
#include "shared/core/metrics.h"
#include "shared/mail/mailer.h"
#include "shared/store/each.h"
#include "shared/store/store.h"
#include "shared/threepid/claim.h"

#include <string.h>

#define PAGE  PAGE_MAX
#define SHARE 100 /* the census pauses so many times as long as it took */

/* ---- what is asked when the page is written */

static double mail_is_well(void *ctx)
{
	const struct identity *identity = ctx;
	char why[256];

	return identity->mailer && mailer_is_well(identity->mailer, why);
}

static double sms_is_in_order(void *ctx)
{
	const struct identity *identity = ctx;
	char why[256];

	return sms_is_well(identity->sms, why);
}

/* ---- life */

static void add_sessions(struct identity *identity)
{
	static const char *const labels[] = { "medium=\"email\"", "medium=\"msisdn\"" };

	for (int i = 0; i < 2; i++) {
		identity->counters.sessions[i] = mx_counter_new(
			identity->metrics, "identity_sessions_total",
			"Requests for a token that were taken", labels[i]);
		identity->counters.validated[i] = mx_counter_new(
			identity->metrics, "identity_validations_total",
			"Right tokens that came back", labels[i]);
	}
}

void census_open(struct identity *identity)
{
	struct identity_counters *counters = &identity->counters;
	struct mx_metrics *metrics = identity->metrics;

	counters->lookups = mx_counter_new(metrics, "identity_lookup_addresses_total",
					   "Addresses and hashes that were looked up", "");
	counters->lookup_hits = mx_counter_new(metrics, "identity_lookup_hits_total",
					       "Those of them that somebody has", "");
	add_sessions(identity);
	counters->bindings = mx_gauge_new(metrics, "identity_bindings",
					  "Addresses that somebody has", "");
	counters->open_sessions = mx_gauge_new(metrics, "identity_sessions",
					       "Validation sessions that are stored", "");
	counters->pending_invites = mx_gauge_new(metrics, "identity_invites_pending",
						 "Invites that nobody took yet", "");
	counters->accounts = mx_gauge_new(metrics, "identity_accounts", "Users who ever signed in",
					  "");
	mx_gauge_fn(metrics, "identity_mail_ok", "1 if the mail relay is in order", "",
		    mail_is_well, identity);
	mx_gauge_fn(metrics, "identity_sms_ok", "0 if the last text messages failed", "",
		    sms_is_in_order, identity);
}

/* ---- counting */

static int64_t count_rows(struct identity *identity, const struct store_table *table)
{
	int64_t count = 0;

	return store_count(identity->store, table, &count, NULL) == 0 ? count : 0;
}

/* One page; false after the last. */
static bool count_page(struct identity_call *call, struct page *page, int64_t *count)
{
	const struct invite_filter pending = { .pending = true };
	struct invite_page found;
	int rc;

	call->view = store_view_begin(call->identity->store);
	rc = invite_find(call, &pending, page, &found);
	store_view_end(call->view);
	*count += rc ? 0 : (int64_t)found.len;
	page->after = rc ? MX_SLICE("") : found.next;
	return page->after.len > 0;
}

static int64_t count_pending(struct identity *identity, int64_t now_ms)
{
	struct page page = { .limit = PAGE };
	char cursor[STORE_KEY_MAX];
	int64_t count = 0;
	bool more;

	do {
		mx_arena_auto *mem = mx_arena_new(0);
		struct identity_call call = { identity, .mem = mem, .now_ms = now_ms };

		more = count_page(&call, &page, &count);
		/* the page's memory goes away with it */
		memcpy(cursor, page.after.ptr, page.after.len);
		page.after.ptr = cursor;
	} while (more);
	return count;
}

void census_take(struct identity *identity, int64_t now_ms)
{
	struct identity_counters *counters = &identity->counters;
	int64_t began_ms = mx_mono_ms();

	if (began_ms < identity->census_due_ms)
		return;
	mx_metric_set(counters->bindings, count_rows(identity, &binding_user_table));
	mx_metric_set(counters->open_sessions, count_rows(identity, &claim_end_table));
	mx_metric_set(counters->accounts, count_rows(identity, &account_table));
	mx_metric_set(counters->pending_invites, count_pending(identity, now_ms));
	identity->census_due_ms = mx_mono_ms() + SHARE * (mx_mono_ms() - began_ms);
}

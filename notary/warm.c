#include "notary/warm.h"

#include "notary/freshness.h"
#include "notary/notary.h"
#include "notary/refresh.h"
#include "notary/trust.h"
#include "shared/core/alloc.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/keys/key_history.h"

#include <stdatomic.h>

#define NOTE_EVERY_MS (10 * MX_MINUTE_MS)

struct warm {
	struct reply_body *body;
	int64_t valid_until_ms;
	_Atomic int64_t note_ms; /* when the refresher hears of it again */
};

void warm_free(void *prepared)
{
	struct warm *warm = prepared;

	reply_body_unref(warm->body);
	mx_free(warm);
}

static bool add_versions(struct notary *notary, const struct key_entry *entry, struct mx_str *out,
			 int64_t *ret_valid_until_ms)
{
	bool any = false;

	for (size_t i = 0; i < entry->len; i++) {
		const struct key_version *version = &entry->versions[i];

		if (!trust_fits_pins(notary->trust, entry->server, version))
			continue;
		if (any)
			mx_str_add_char(out, ',');
		mx_str_add_slice(out, version->sealed);
		*ret_valid_until_ms = version->valid_until_ts;
		any = true;
	}
	return any;
}

static struct warm *warm_new(struct notary *notary, const struct key_entry *entry)
{
	mx_str_auto out = { 0 };
	int64_t valid_until_ms = 0;
	struct warm *warm;

	if (!trust_allows(notary->trust, entry->server))
		return NULL;
	mx_str_add_text(&out, "{\"server_keys\":[");
	if (!add_versions(notary, entry, &out, &valid_until_ms))
		return NULL;
	mx_str_add_text(&out, "]}");
	warm = mx_calloc(1, sizeof(*warm));
	warm->body = reply_body_new("application/json", out.ptr, out.len, true);
	warm->valid_until_ms = valid_until_ms;
	return warm;
}

/* Made by whoever comes first; a second maker at the same moment throws his away. */
static struct warm *prepare(struct notary *notary, struct key_entry *entry)
{
	struct warm *fresh = warm_new(notary, entry);
	void *there = NULL;

	if (!fresh || atomic_compare_exchange_strong(&entry->prepared, &there, fresh))
		return fresh;
	warm_free(fresh);
	return there;
}

static void note(struct notary *notary, struct warm *warm, const struct key_entry *entry,
		 int64_t now_ms)
{
	int64_t due_ms = atomic_load_explicit(&warm->note_ms, memory_order_relaxed);
	int64_t half_life_ms, next_ms = now_ms + NOTE_EVERY_MS;

	if (now_ms < due_ms)
		return;
	half_life_ms = version_half_life_ms(entry_newest(entry));
	if (half_life_ms > now_ms && half_life_ms < next_ms)
		next_ms = half_life_ms;
	if (atomic_compare_exchange_strong(&warm->note_ms, &due_ms, next_ms))
		refresh_note(notary->refresh, entry->server, entry);
}

static struct reply_body *answer_of(struct notary *notary, struct key_entry *entry)
{
	struct warm *warm = atomic_load_explicit(&entry->prepared, memory_order_acquire);
	int64_t now_ms = mx_now_ms();

	if (!warm)
		warm = prepare(notary, entry);
	if (!warm || warm->valid_until_ms < now_ms)
		return NULL;
	note(notary, warm, entry, now_ms);
	return reply_body_ref(warm->body);
}

struct reply_body *warm_answer(struct notary *notary, struct mx_slice server)
{
	struct key_entry *entry = key_history_peek(notary->history, server);
	struct reply_body *body;

	if (!entry)
		return NULL;
	body = answer_of(notary, entry);
	key_entry_unref(entry);
	if (body)
		mx_metric_add(notary->counters.warm, 1);
	return body;
}

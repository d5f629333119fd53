#include "shared/mail/relay_watch.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"

#include <stdatomic.h>
#include <stdio.h>

#define FAILURES_MAX 3 /* one address that is wrong says nothing of the relay */
#define WELL_MS      (5 * MX_MINUTE_MS)
#define ILL_FIRST_MS (5 * MX_SECOND_MS)
#define ILL_MAX_MS   MX_MINUTE_MS

struct relay_watch {
	int (*probe)(void *ctx, const _Atomic bool *hurry, struct mx_error *err);
	void *ctx;
	pthread_t thread;
	bool started;
	_Atomic bool hurry;
	pthread_mutex_t lock; /* of the fields below; never held while probing */
	pthread_cond_t changed;
	bool stopping;
	int64_t next_ms; /* of the probes; monotonic */
	int64_t ill_ms; /* until the next one while it is out of order */
	char probe_why[256]; /* of the last probe; "" if it went well */
	char mail_why[256]; /* of the last mail */
	unsigned failures; /* mails in a row */
	enum outbox_result last;
};

struct relay_watch *relay_watch_new(int (*probe)(void *ctx, const _Atomic bool *hurry,
						 struct mx_error *err),
				    void *ctx)
{
	struct relay_watch *watch = mx_calloc(1, sizeof(*watch));

	watch->probe = probe;
	watch->ctx = ctx;
	watch->ill_ms = ILL_FIRST_MS;
	pthread_mutex_init(&watch->lock, NULL);
	mx_cond_init(&watch->changed);
	return watch;
}

void relay_watch_free(struct relay_watch *watch)
{
	if (!watch)
		return;
	relay_watch_stop(watch);
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->lock);
	mx_free(watch);
}

/* ---- what is known; under the lock */

static void forget(struct relay_watch *watch)
{
	watch->failures = 0;
	watch->probe_why[0] = watch->mail_why[0] = '\0';
	watch->ill_ms = ILL_FIRST_MS;
}

static void probe_at(struct relay_watch *watch, int64_t mono_ms)
{
	watch->next_ms = mono_ms;
	pthread_cond_signal(&watch->changed);
}

static void take_failure(struct relay_watch *watch, enum outbox_result result, const char *why)
{
	int64_t soon_ms = mx_mono_ms() + ILL_FIRST_MS;

	watch->failures++;
	watch->last = result;
	snprintf(watch->mail_why, sizeof(watch->mail_why), "%s", why);
	/* Was it the relay? A good one is asked at once, a bad one as often as it is anyway. */
	if (result == OUTBOX_AGAIN && !*watch->probe_why && watch->next_ms > soon_ms)
		probe_at(watch, watch->failures == 1 ? mx_mono_ms() : soon_ms);
}

static void take_probe(struct relay_watch *watch, bool is_well, const char *why)
{
	int64_t pause_ms = WELL_MS;

	if (is_well && watch->last == OUTBOX_AGAIN)
		watch->failures = 0; /* the next attempts will tell */
	snprintf(watch->probe_why, sizeof(watch->probe_why), "%s", is_well ? "" : why);
	if (!is_well)
		pause_ms = watch->ill_ms;
	watch->ill_ms = is_well ? ILL_FIRST_MS : pause_ms * 2;
	if (watch->ill_ms > ILL_MAX_MS)
		watch->ill_ms = ILL_MAX_MS;
	watch->next_ms = mx_mono_ms() + pause_ms;
}

/* ---- from outside */

void relay_watch_note(struct relay_watch *watch, enum outbox_result result,
		      const struct mx_error *err)
{
	pthread_mutex_lock(&watch->lock);
	if (result == OUTBOX_SENT) {
		forget(watch);
		watch->next_ms = mx_mono_ms() + WELL_MS;
	} else {
		take_failure(watch, result, err->text);
	}
	pthread_mutex_unlock(&watch->lock);
}

void relay_watch_reset(struct relay_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	forget(watch);
	probe_at(watch, mx_mono_ms());
	pthread_mutex_unlock(&watch->lock);
}

static void log_change(bool was_well, bool is_well, const char *why)
{
	if (was_well && !is_well)
		mx_log(MX_LOG_ERROR, "the mail relay is out of order, mails wait", "why", why,
		       NULL);
	if (!was_well && is_well)
		mx_log(MX_LOG_INFO, "the mail relay is in order again", NULL);
}

int relay_watch_probe(struct relay_watch *watch, struct mx_error *err)
{
	struct mx_error why = { 0 };
	int rc = watch->probe(watch->ctx, &watch->hurry, &why);
	bool was_well, counts;

	pthread_mutex_lock(&watch->lock);
	counts = !watch->stopping; /* a probe that was cut short says nothing */
	was_well = *watch->probe_why == '\0';
	if (counts)
		take_probe(watch, rc == 0, why.text);
	pthread_mutex_unlock(&watch->lock);
	if (counts)
		log_change(was_well, rc == 0, why.text);
	return rc ? mx_fail(err, (enum mx_code) - rc, "%s", why.text) : 0;
}

bool relay_watch_is_well(struct relay_watch *watch, char ret_why_not[256])
{
	bool is_well;

	pthread_mutex_lock(&watch->lock);
	is_well = *watch->probe_why == '\0' && watch->failures < FAILURES_MAX;
	if (*watch->probe_why)
		snprintf(ret_why_not, 256, "the relay is out of order: %.220s", watch->probe_why);
	else if (!is_well)
		snprintf(ret_why_not, 256, "the last %u mails failed: %.220s", watch->failures,
			 watch->mail_why);
	pthread_mutex_unlock(&watch->lock);
	return is_well;
}

/* ---- the thread */

/* False once it is to stop. */
static bool wait_for_turn(struct relay_watch *watch)
{
	bool stopping;

	pthread_mutex_lock(&watch->lock);
	while (!watch->stopping && watch->next_ms > mx_mono_ms()) {
		struct timespec until = mx_after_us((watch->next_ms - mx_mono_ms()) * 1000);

		pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
	}
	stopping = watch->stopping;
	pthread_mutex_unlock(&watch->lock);
	return !stopping;
}

static void *watch_thread(void *ctx)
{
	struct relay_watch *watch = ctx;

	while (wait_for_turn(watch))
		relay_watch_probe(watch, NULL);
	return NULL;
}

void relay_watch_start(struct relay_watch *watch)
{
	watch->thread = mx_thread_start("relay", watch_thread, watch);
	watch->started = true;
}

void relay_watch_stop(struct relay_watch *watch)
{
	if (!watch->started)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	pthread_cond_signal(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	atomic_store(&watch->hurry, true);
	pthread_join(watch->thread, NULL);
	watch->started = false;
}

/* Reading a directory: what it lists becomes rows that hashes find, and what it no longer lists
 * goes. Rows that say what they said before cost no write. */
#include "identity/binding/listed.h"
#include "identity/source/seen.h"
#include "identity/source/source_state.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#include <stdio.h>

#define BATCH         200
#define SWEEP_ROWS    500
#define CONFLICTS_MAX 100
#define AGAIN_MS      (10 * MX_SECOND_MS) /* after a failure; doubles */
#define AGAIN_MAX_MS  (5 * MX_MINUTE_MS)

struct reader {
	struct source *source;
	struct seen seen;
	struct mx_arena *mem, *scratch;
	struct listed batch[BATCH];
	size_t batch_len;
	size_t changed, doubled, odd; /* for the log */
	int rc;
	struct mx_error *err;
};

/* ---- writing */

/* What an earlier source lists, a later one does not take away. */
static bool is_earlier(const struct source *source, const char *other)
{
	const struct source *found = source_find(source->sources, other);

	return found && *found->conf->read && found->place < source->place;
}

static bool put_if_new(struct reader *reader, struct store_txn *txn, const struct listed *listed)
{
	struct listed stored;
	int rc = listed_load(txn, &listed->threepid, reader->scratch, &stored);

	if (rc == 0 && streq(stored.source, listed->source) &&
	    streq(stored.user_id, listed->user_id))
		return false;
	if (rc == 0 && is_earlier(reader->source, stored.source))
		return false;
	listed_put(txn, listed, reader->scratch);
	return true;
}

static int write_once(struct reader *reader, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(reader->source->sources->conf.store);
	size_t changed = 0;
	int rc;

	mx_arena_reset(reader->scratch);
	for (size_t i = 0; i < reader->batch_len; i++)
		changed += put_if_new(reader, txn, &reader->batch[i]);
	if (changed == 0) {
		store_txn_abort(txn);
		return 0;
	}
	rc = store_txn_commit(txn, err);
	if (rc == 0)
		reader->changed += changed;
	return rc;
}

static int write_batch(struct reader *reader, struct mx_error *err)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; rc == -MX_CONFLICT && i < CONFLICTS_MAX; i++)
		rc = write_once(reader, err);
	reader->batch_len = 0;
	mx_arena_reset(reader->mem);
	return rc;
}

/* ---- what comes */

static bool stop(struct reader *reader, int rc)
{
	reader->rc = rc;
	return rc == 0;
}

static bool take(void *ctx, const struct threepid *as_written, const char *user_id)
{
	struct reader *reader = ctx;
	struct threepid threepid;

	mx_arena_reset(reader->scratch);
	if (threepid_parse(as_written->medium, as_written->address, reader->scratch, &threepid,
			   NULL)) {
		reader->odd++;
		return true;
	}
	if (!seen_add(&reader->seen, &threepid)) {
		reader->doubled++;
		return true;
	}
	if (reader->seen.len > reader->source->conf->addresses_max)
		return stop(reader, mx_fail(reader->err, MX_REMOTE_FAILED,
					    "it lists more than %u addresses (addresses_max)",
					    reader->source->conf->addresses_max));
	reader->batch[reader->batch_len++] = (struct listed){
		.threepid.medium = mx_arena_strdup(reader->mem, threepid.medium),
		.threepid.address = mx_arena_strdup(reader->mem, threepid.address),
		.user_id = mx_arena_strdup(reader->mem, user_id),
		.source = reader->source->conf->name,
	};
	if (reader->batch_len < BATCH)
		return true;
	return stop(reader, write_batch(reader, reader->err));
}

/* ---- what is gone */

typedef bool gone_fn(const void *ctx, const struct listed *listed);

struct sweep {
	struct store *store;
	gone_fn *is_gone;
	const void *ctx;
	struct mx_arena *mem;
	char from[STORE_KEY_MAX + 1];
	size_t from_len;
	bool more;
};

static int sweep_page(struct sweep *sweep, struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(sweep->store);
	struct listed_page page;
	size_t gone = 0;
	int rc;

	mx_arena_reset(sweep->mem);
	rc = listed_page(txn, mx_slice_of(sweep->from, sweep->from_len), SWEEP_ROWS, sweep->mem,
			 &page);
	for (size_t i = 0; rc == 0 && i < page.len; i++) {
		if (!sweep->is_gone(sweep->ctx, &page.items[i]))
			continue;
		listed_delete(txn, &page.items[i].threepid, sweep->mem);
		gone++;
	}
	if (rc || gone == 0)
		store_txn_abort(txn);
	else
		rc = store_txn_commit(txn, err);
	if (rc)
		return rc;
	sweep->more = page.next.ptr && page.next.len < sizeof(sweep->from);
	if (!sweep->more)
		return 0;
	sweep->from_len = page.next.len;
	memcpy(sweep->from, page.next.ptr, page.next.len);
	return 0;
}

static int sweep_all(struct store *store, gone_fn *is_gone, const void *ctx, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct sweep sweep = {
		.store = store, .is_gone = is_gone, .ctx = ctx, .mem = mem, .more = true
	};
	int rc = 0, conflicts = 0;

	while (rc == 0 && sweep.more) {
		rc = sweep_page(&sweep, err);
		if (rc == -MX_CONFLICT && conflicts++ < CONFLICTS_MAX)
			rc = 0;
	}
	return rc;
}

static bool was_not_seen(const void *ctx, const struct listed *listed)
{
	const struct reader *reader = ctx;

	return streq(listed->source, reader->source->conf->name) &&
	       !seen_has(&reader->seen, &listed->threepid);
}

static bool is_of_no_source(const void *ctx, const struct listed *listed)
{
	struct sources *sources = (struct sources *)(uintptr_t)ctx;
	const struct source *source = source_find(sources, listed->source);

	return !source || !*source->conf->read;
}

int source_forget_others(struct sources *sources, struct mx_error *err)
{
	return sweep_all(sources->conf.store, is_of_no_source, sources, err);
}

/* ---- one reading */

static void tell(const struct reader *reader, const struct source_reading *reading, bool full)
{
	bool odd = reader->odd + reader->doubled + reading->skipped > 0;

	mx_log(odd && full ? MX_LOG_WARN : MX_LOG_DEBUG,
	       odd ? "a directory was read; parts of it are left out" : "a directory was read",
	       "source", reader->source->conf->name, "addresses",
	       mx_log_num((int64_t)reader->seen.len), "changed",
	       mx_log_num((int64_t)reader->changed), "no_addresses",
	       mx_log_num((int64_t)reader->odd), "twice", mx_log_num((int64_t)reader->doubled),
	       "no_users", mx_log_num((int64_t)reading->skipped), NULL);
}

/* A directory that suddenly has nobody has another trouble: nobody is forgotten for it. */
static int forget_unseen(struct reader *reader)
{
	struct source *source = reader->source;

	if (reader->seen.len == 0)
		return mx_fail(reader->err, MX_REMOTE_FAILED,
			       "it lists nobody: look at base and filter");
	mx_metric_set(source->listed, (int64_t)reader->seen.len);
	return sweep_all(source->sources->conf.store, was_not_seen, reader, reader->err);
}

static int read_with(struct reader *reader, struct source_reading *reading)
{
	struct source *source = reader->source;
	bool full = !*reading->since;
	int rc = source->kind->read(source->state, reading, reader->err);

	if (rc == 0)
		rc = reader->rc;
	if (rc == 0)
		rc = write_batch(reader, reader->err);
	if (rc == 0 && full)
		rc = forget_unseen(reader);
	if (rc)
		return rc;
	tell(reader, reading, full);
	if (full)
		source->full_mono_ms = mx_mono_ms();
	if (*reading->newest || full)
		snprintf(source->since, sizeof(source->since), "%s", reading->newest);
	return 0;
}

int source_read(struct source *source, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_arena_auto *scratch = mx_arena_new(0);
	struct reader reader = { .source = source, .mem = mem, .scratch = scratch, .err = err };
	struct source_reading reading = {
		.since = source->since,
		.visit = take,
		.ctx = &reader,
		.stop = &source->sources->stopping,
	};
	int rc;

	if (mx_mono_ms() - source->full_mono_ms >= source->conf->full_minutes * MX_MINUTE_MS)
		reading.since = "";
	seen_init(&reader.seen);
	rc = read_with(&reader, &reading);
	seen_done(&reader.seen);
	/* What changed before a failure may be missing: all of it next time. */
	if (rc)
		source->since[0] = '\0';
	return rc;
}

/* ---- in the background */

static int64_t pause_ms(const struct source *source)
{
	unsigned minutes = *source->since ? source->conf->refresh_minutes
					  : source->conf->full_minutes;
	int64_t again_ms = AGAIN_MAX_MS;

	if (source->read_failures == 0)
		return mx_jitter(minutes * MX_MINUTE_MS, 5);
	if (source->read_failures < 6)
		again_ms = AGAIN_MS << (source->read_failures - 1);
	return mx_jitter(again_ms, 10);
}

static bool wait_ms(struct source *source, int64_t ms)
{
	const struct timespec until = mx_after_us(ms * 1000);

	pthread_mutex_lock(&source->lock);
	while (!source->sources->stopping &&
	       pthread_cond_timedwait(&source->change, &source->lock, &until) == 0)
		;
	pthread_mutex_unlock(&source->lock);
	return !source->sources->stopping;
}

void *source_reader(void *ctx)
{
	struct source *source = ctx;

	do {
		struct mx_error err = { 0 };
		int rc = source_read(source, &err);

		if (source->sources->stopping)
			break;
		if (rc && !err.text[0])
			mx_fail(&err, (enum mx_code) - rc, "what it lists cannot be stored");
		source->read_failures = rc ? source->read_failures + 1 : 0;
		source_note(source, source->reading_why, rc ? &err : NULL);
	} while (wait_ms(source, pause_ms(source)));
	return NULL;
}

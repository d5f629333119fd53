#include "notary/refresh.h"

#include "notary/alarm.h"
#include "notary/freshness.h"
#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "notary/refresh_db.h"
#include "notary/trust.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/map.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/id/server_name.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/own_keys.h"

#include <pthread.h>
#include <stdio.h>

#define ROUND_MS        (5 * MX_SECOND_MS)
#define FETCHES_A_ROUND 64 /* spreads a start with thousands of stale servers */
#define SERVERS_MAX     1000000
#define RETRY_MS        (10 * MX_MINUTE_MS)
#define SAVE_ROUNDS     12 /* back-off goes to the store once a minute */
#define LINE_MAX_BYTES  512

struct kept {
	struct refresh_row row;
	bool listed; /* in the prefetch list */
	int64_t due_ms; /* when its half-life is looked at again */
	bool dirty; /* not in the store yet */
};

struct refresh {
	struct notary *notary;
	pthread_mutex_t lock;
	pthread_cond_t stop_signal;
	struct mx_map servers; /* name → struct kept */
	pthread_t thread;
	bool running, stopping;
};

static int64_t today(void)
{
	return mx_now_ms() / MX_DAY_MS;
}

/* ---- who is kept fresh; under the lock */

static struct kept *keep(struct refresh *refresh, struct mx_slice server)
{
	struct kept *kept = mx_map_find(&refresh->servers, server);

	if (kept || refresh->servers.len >= SERVERS_MAX)
		return kept;
	kept = mx_calloc(1, sizeof(*kept));
	mx_map_put(&refresh->servers, server, kept);
	return kept;
}

static bool is_forgotten(const struct refresh *refresh, const struct kept *kept)
{
	return !kept->row.prefetch && !kept->listed &&
	       today() - kept->row.asked_day > refresh->notary->conf->refresh.days;
}

static void restore(void *ctx, struct mx_slice server, const struct refresh_row *row)
{
	struct refresh *refresh = ctx;
	struct kept *kept = keep(refresh, server);

	if (kept)
		kept->row = *row;
}

void refresh_note(struct refresh *refresh, struct mx_slice server, const struct key_entry *entry)
{
	const struct key_version *newest = entry ? entry_newest(entry) : NULL;
	struct kept *kept;

	if (!newest)
		return; /* names that nobody answers for are not kept */
	pthread_mutex_lock(&refresh->lock);
	kept = keep(refresh, server);
	if (kept && kept->row.asked_day != today()) {
		kept->row.asked_day = today();
		kept->dirty = true;
	}
	pthread_mutex_unlock(&refresh->lock);
}

int refresh_prefetch(struct refresh *refresh, struct mx_slice server, struct mx_error *err)
{
	struct refresh_row row = { .prefetch = true };
	struct kept *kept;

	pthread_mutex_lock(&refresh->lock);
	kept = keep(refresh, server);
	if (kept) {
		kept->row.prefetch = true;
		kept->due_ms = 0;
		row = kept->row;
	}
	pthread_mutex_unlock(&refresh->lock);
	if (!kept)
		return mx_fail(err, MX_TOO_LARGE, "More than %d servers are kept fresh",
			       SERVERS_MAX);
	return refresh_db_put(refresh->notary->store, &server, &row, 1, err);
}

int refresh_release(struct refresh *refresh, struct mx_slice server, struct mx_error *err)
{
	struct refresh_row row;
	struct kept *kept;
	bool found;

	pthread_mutex_lock(&refresh->lock);
	kept = mx_map_find(&refresh->servers, server);
	found = kept && kept->row.prefetch;
	if (found) {
		kept->row.prefetch = false;
		row = kept->row;
	}
	pthread_mutex_unlock(&refresh->lock);
	if (!found)
		return mx_fail(err, MX_NOT_FOUND, "That server is not prefetched");
	return refresh_db_put(refresh->notary->store, &server, &row, 1, err);
}

size_t refresh_count(struct refresh *refresh)
{
	size_t count;

	pthread_mutex_lock(&refresh->lock);
	count = refresh->servers.len;
	pthread_mutex_unlock(&refresh->lock);
	return count;
}

/* ---- a round */

struct due {
	struct mx_slice server;
	struct refresh_row row;
	bool forget;
};

struct round {
	struct mx_arena *mem;
	struct mx_vec(struct due) look, save;
};

/* No half-life is further away than keys are trusted: if it looks so, the clock went back. */
static bool is_due(const struct kept *kept)
{
	int64_t now_ms = mx_now_ms();

	return kept->due_ms <= now_ms || kept->due_ms > now_ms + KEY_TRUST_MS;
}

static void collect_one(struct refresh *refresh, struct round *round, struct mx_slice server,
			struct kept *kept)
{
	bool forget = is_forgotten(refresh, kept);

	if (kept->dirty || forget)
		mx_vec_push(&round->save,
			    (struct due){ mx_arena_slice(round->mem, server),
					  forget ? (struct refresh_row){ 0 } : kept->row, forget });
	kept->dirty = false;
	if (forget || !is_due(kept) || round->look.len >= FETCHES_A_ROUND)
		return;
	kept->due_ms = mx_now_ms() + mx_jitter(RETRY_MS, 25);
	mx_vec_push(&round->look, (struct due){ .server = mx_arena_slice(round->mem, server) });
}

static void collect(struct refresh *refresh, struct round *round)
{
	struct mx_slice server;
	size_t cursor = 0;
	void *kept;

	pthread_mutex_lock(&refresh->lock);
	while (mx_map_next(&refresh->servers, &cursor, &server, &kept))
		collect_one(refresh, round, server, kept);
	for (size_t i = 0; i < round->save.len; i++)
		if (round->save.items[i].forget)
			mx_free(mx_map_remove(&refresh->servers, round->save.items[i].server));
	pthread_mutex_unlock(&refresh->lock);
}

static void save(struct refresh *refresh, const struct round *round)
{
	size_t len = round->save.len;
	struct mx_slice *servers = mx_arena_calloc(round->mem, len + 1, sizeof(*servers));
	struct refresh_row *rows = mx_arena_calloc(round->mem, len + 1, sizeof(*rows));
	struct mx_error err = { 0 };

	for (size_t i = 0; i < len; i++) {
		servers[i] = round->save.items[i].server;
		rows[i] = round->save.items[i].row;
	}
	if (len && refresh_db_put(refresh->notary->store, servers, rows, len, &err))
		mx_log(MX_LOG_WARN, "who was asked for is not saved, asking goes on", "why",
		       err.text, NULL);
}

static void set_due(struct refresh *refresh, struct mx_slice server, int64_t due_ms)
{
	struct kept *kept;

	pthread_mutex_lock(&refresh->lock);
	kept = mx_map_find(&refresh->servers, server);
	if (kept)
		kept->due_ms = due_ms;
	pthread_mutex_unlock(&refresh->lock);
}

static void ignore_result(void *ctx, int rc)
{
	(void)ctx;
	(void)rc; /* the fetcher logs and counts; the next round looks again */
}

/* Not all at once; but what is valid for seconds only is not to wait for a minute. */
static int64_t spread_ms(int64_t left_ms)
{
	return mx_random_below(left_ms < MX_MINUTE_MS ? left_ms : MX_MINUTE_MS);
}

/* Fetches if half of the validity is over, else comes back then. */
static void look_at(struct refresh *refresh, struct mx_slice server)
{
	struct notary *notary = refresh->notary;
	const struct key_version *newest;
	struct key_entry *entry;
	int64_t half_life_ms, left_ms;

	if (!trust_allows(notary->trust, server) ||
	    mx_slice_is(server, notary->conf->server_name) ||
	    key_history_load(notary->history, server, &entry, NULL))
		return;
	newest = entry_newest(entry);
	half_life_ms = newest ? version_half_life_ms(newest) : 0;
	key_entry_unref(entry);
	left_ms = half_life_ms - mx_now_ms();
	if (left_ms > 0)
		set_due(refresh, server, half_life_ms + spread_ms(left_ms));
	else if (key_fetch_may(notary->fetcher, server))
		key_fetch(notary->fetcher, server, false, ignore_result, NULL);
}

static void refresh_own_keys(struct notary *notary)
{
	struct mx_error err = { 0 };
	int rc = own_keys_refresh(notary->own, notary->history, &err);

	if (rc)
		mx_log(MX_LOG_ERROR, "the own key object is not renewed, trying again", "why",
		       mx_error_text(&err, rc), NULL);
	alarm_problem(notary->alarm, ALARM_OWN_KEYS, rc ? mx_error_text(&err, rc) : NULL);
}

void refresh_round(struct refresh *refresh)
{
	struct round round = { .mem = mx_arena_new(0) };

	collect(refresh, &round);
	save(refresh, &round);
	for (size_t i = 0; i < round.look.len; i++)
		look_at(refresh, round.look.items[i].server);
	refresh_own_keys(refresh->notary);
	mx_vec_done(&round.look);
	mx_vec_done(&round.save);
	mx_arena_free(round.mem);
}

/* ---- the thread */

/* False when it is time to stop. */
static bool sleep_a_round(struct refresh *refresh)
{
	return mx_cond_sleep(&refresh->stop_signal, &refresh->lock, &refresh->stopping,
			     ROUND_MS * 1000);
}

static void *refresh_thread(void *ctx)
{
	struct refresh *refresh = ctx;
	unsigned rounds = 0;

	mx_thread_yields();
	do {
		refresh_round(refresh);
		alarm_look(refresh->notary->alarm);
		if (++rounds % SAVE_ROUNDS == 0)
			key_fetch_save(refresh->notary->fetcher, NULL);
	} while (sleep_a_round(refresh));
	return NULL;
}

void refresh_start(struct refresh *refresh)
{
	refresh->thread = mx_thread_start("refresh", refresh_thread, refresh);
	refresh->running = true;
}

void refresh_stop(struct refresh *refresh)
{
	if (!refresh || !refresh->running)
		return;
	pthread_mutex_lock(&refresh->lock);
	refresh->stopping = true;
	pthread_cond_signal(&refresh->stop_signal);
	pthread_mutex_unlock(&refresh->lock);
	pthread_join(refresh->thread, NULL);
	refresh->running = false;
}

/* ---- the prefetch list */

static void keep_line(struct refresh *refresh, const char *file, char *line)
{
	struct mx_slice name = mx_trim(mx_slice_of(line, strcspn(line, "#\r\n")));
	struct kept *kept;

	if (name.len == 0)
		return;
	if (!mx_server_name_valid(name)) {
		mx_log(MX_LOG_WARN, "no server name in the prefetch list, ignoring the line",
		       "file", file, "line", line, NULL);
		return;
	}
	pthread_mutex_lock(&refresh->lock);
	kept = keep(refresh, name);
	if (kept)
		kept->listed = true;
	pthread_mutex_unlock(&refresh->lock);
}

static void forget_list(struct refresh *refresh)
{
	struct mx_slice server;
	size_t cursor = 0;
	void *kept;

	pthread_mutex_lock(&refresh->lock);
	while (mx_map_next(&refresh->servers, &cursor, &server, &kept))
		((struct kept *)kept)->listed = false;
	pthread_mutex_unlock(&refresh->lock);
}

int refresh_reload(struct refresh *refresh, const char *prefetch_file, struct mx_error *err)
{
	char line[LINE_MAX_BYTES];
	FILE *file = prefetch_file ? fopen(prefetch_file, "re") : NULL;

	if (prefetch_file && !file)
		return mx_fail(err, MX_BAD_CONFIG, "%s cannot be read", prefetch_file);
	forget_list(refresh);
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		keep_line(refresh, prefetch_file, line);
	fclose(file);
	return 0;
}

/* ---- life */

int refresh_new(struct notary *notary, struct refresh **ret_refresh, struct mx_error *err)
{
	struct refresh *refresh = mx_calloc(1, sizeof(*refresh));
	int rc;

	refresh->notary = notary;
	pthread_mutex_init(&refresh->lock, NULL);
	mx_cond_init(&refresh->stop_signal);
	rc = refresh_db_each(notary->store, restore, refresh, err);
	if (rc == 0)
		rc = refresh_reload(refresh, notary->conf->refresh.prefetch_file, err);
	if (rc) {
		refresh_free(refresh);
		return rc;
	}
	*ret_refresh = refresh;
	return 0;
}

void refresh_free(struct refresh *refresh)
{
	if (!refresh)
		return;
	mx_map_done(&refresh->servers, mx_free);
	pthread_cond_destroy(&refresh->stop_signal);
	pthread_mutex_destroy(&refresh->lock);
	mx_free(refresh);
}

/*
 * Locks: stripe, held while one server's rows are written or loaded and its entry in memory is
 * replaced, so that memory never goes back behind the store; inside it the shard's of
 * key_memory.c. Never held while waiting for the network.
 */
#include "shared/keys/key_history.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/id/server_name.h"
#include "shared/keys/key_entry.h"
#include "shared/keys/key_history_db.h"
#include "shared/keys/key_memory.h"
#include "shared/keys/key_metrics.h"
#include "shared/keys/key_purge.h"
#include "shared/keys/key_record.h"
#include "shared/keys/key_renewal.h"
#include "shared/store/store.h"

#include <pthread.h>

#define STRIPES           32
#define CACHE_BYTES_USUAL (16u * 1024 * 1024)

struct counters {
	struct mx_metric *outcomes[KEY_OUTCOMES], *refused, *seals, *seal_seconds;
	struct mx_metric *servers, *versions, *conflicts, *entries, *bytes;
};

struct key_history {
	struct key_history_conf conf;
	char *seal_id; /* changed only with all stripes held */
	size_t seal_id_len;
	struct key_memory *memory;
	pthread_mutex_t stripes[STRIPES];
	_Atomic uint64_t servers, versions, conflicts; /* in the store */
	struct counters counters;
};

static pthread_mutex_t *stripe_of(struct key_history *history, struct mx_slice server)
{
	size_t hash = server.len;

	for (size_t i = 0; i < server.len; i++)
		hash = hash * 31 + (uint8_t)server.ptr[i];
	return &history->stripes[hash % STRIPES];
}

static void show_store(struct key_history *history)
{
	mx_metric_set(history->counters.servers, (int64_t)history->servers);
	mx_metric_set(history->counters.versions, (int64_t)history->versions);
	mx_metric_set(history->counters.conflicts, (int64_t)history->conflicts);
}

static void show_memory(struct key_history *history)
{
	size_t entries, bytes;

	if (!history->counters.entries)
		return;
	key_memory_size(history->memory, &entries, &bytes);
	mx_metric_set(history->counters.entries, (int64_t)entries);
	mx_metric_set(history->counters.bytes, (int64_t)bytes);
}

/* ---- loading, with the stripe held */

static int seal(void *ctx, const struct key_object *object, struct mx_str *out,
		struct mx_error *err)
{
	struct key_history *history = ctx;
	int64_t start_us = mx_mono_us();
	int rc = history->conf.seal(history->conf.seal_ctx, object, out, err);

	mx_metric_add(history->counters.seals, 1);
	mx_metric_observe_us(history->counters.seal_seconds, mx_mono_us() - start_us);
	return rc;
}

static struct mx_slice seal_id(const struct key_history *history)
{
	return mx_slice_of(history->seal_id, history->seal_id_len);
}

static bool is_sealed(const struct key_history *history, const struct key_db_version *row)
{
	return !history->conf.seal ||
	       (row->sealed.len && mx_slice_eq(row->seal_id, seal_id(history)));
}

/* What was sealed with keys of the past is sealed again, in memory only: renewals bring the
 * store up to date by themselves. Nothing is sealed unchecked, also not our own rows. */
static int seal_again(struct key_history *history, struct mx_slice server,
		      struct key_db_version *row, const struct key_db *db)
{
	mx_str_auto sealed = { 0 };
	struct key_object object;
	struct mx_error err = { 0 };
	enum key_refusal refusal = key_object_check(row->bytes, server, KEY_POLICY_ANY, db->mem,
						    &object, &err);
	int rc;

	if (refusal != KEY_FINE) {
		mx_log(MX_LOG_WARN,
		       "a stored key object is not acceptable any more, leaving it out", "reason",
		       key_refusal_name(refusal), "details", err.text, NULL);
		row->sealed = (struct mx_slice){ 0 };
		return 0;
	}
	rc = seal(history, &object, &sealed, db->err);
	if (rc == 0)
		row->sealed = mx_arena_slice(db->mem, mx_str_slice(&sealed));
	return rc;
}

static struct key_version version_of(const struct key_history *history,
				     const struct key_db_version *row)
{
	return (struct key_version){
		.number = row->number,
		.sealed = history->conf.seal ? row->sealed : (struct mx_slice){ 0 },
		.bytes = row->bytes,
		.valid_until_ts = row->valid_until_ts,
		.first_seen_ms = row->first_seen_ms,
		.last_seen_ms = row->last_seen_ms,
		.renewed_ms = row->renewed_ms,
		.renewals = row->renewals,
		.source = row->source,
		.address = row->address,
		.certificate = row->certificate,
		.keys = row->keys,
		.keys_len = row->keys_len,
	};
}

struct loaded {
	struct key_version *versions;
	size_t len;
};

static int load_versions(struct key_history *history, struct mx_slice server,
			 const struct key_db *db, struct loaded *ret_loaded)
{
	struct key_db_version *rows;
	size_t len;
	int rc = key_db_versions(db, server, &rows, &len);

	if (rc)
		return rc;
	ret_loaded->versions = mx_arena_calloc(db->mem, len, sizeof(*ret_loaded->versions));
	for (size_t i = 0; i < len; i++) {
		rc = is_sealed(history, &rows[i]) ? 0 : seal_again(history, server, &rows[i], db);
		if (rc)
			return rc;
		if (rows[i].sealed.len || !history->conf.seal)
			ret_loaded->versions[ret_loaded->len++] = version_of(history, &rows[i]);
	}
	return 0;
}

static struct key_entry *keep(struct key_history *history, struct mx_slice server,
			      const struct loaded *loaded)
{
	struct key_entry *entry = key_entry_new(server, loaded->versions, loaded->len,
						history->conf.prepared_free);

	key_memory_put(history->memory, entry);
	show_memory(history);
	return entry;
}

static int load(struct key_history *history, struct mx_slice server, struct key_entry **ret_entry,
		struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(16384);
	struct key_db db = { .view = store_view_begin(history->conf.store),
			     .mem = mem,
			     .err = err };
	struct loaded loaded = { 0 };
	int rc = load_versions(history, server, &db, &loaded);

	store_view_end(db.view);
	if (rc == 0)
		*ret_entry = keep(history, server, &loaded);
	return rc;
}

/* ---- recording, with the stripe held */

/* The row is durable: if it cannot be read back now, the next load tries again. */
static void refresh_memory(struct key_history *history, struct mx_slice server)
{
	struct key_entry *entry;

	if (load(history, server, &entry, NULL))
		key_memory_remove(history->memory, server);
	else
		key_entry_unref(entry);
}

static void move_last_seen(struct key_history *history, const struct key_entry *entry,
			   const struct key_recording *r)
{
	struct loaded moved = {
		.versions = mx_memdup(entry->versions, entry->len * sizeof(*entry->versions)),
		.len = entry->len,
	};

	for (size_t i = 0; i < moved.len; i++)
		if (moved.versions[i].number == r->number)
			moved.versions[i].last_seen_ms = r->last_seen_ms;
	key_entry_unref(keep(history, entry->server, &moved));
	mx_free(moved.versions);
}

/* Most repetitions are not written, but users must know that the server was just heard. */
static void touch_memory(struct key_history *history, const struct key_recording *r)
{
	struct mx_slice server = r->object->server;
	struct key_entry *entry = key_memory_find(history->memory, server);

	if (!entry)
		return;
	if (entry->len == 0)
		refresh_memory(history, server);
	else
		move_last_seen(history, entry, r);
	key_entry_unref(entry);
}

static void tell_conflict(const struct key_recording *r)
{
	mx_autofree char *server = mx_strndup(r->object->server.ptr, r->object->server.len);
	mx_autofree char *key_id = mx_strndup(r->conflict_id.ptr, r->conflict_id.len);

	mx_log(MX_LOG_WARN, "key id reappeared with other bytes, keeping the first", "server",
	       server, "key_id", key_id, "source", r->source->source, NULL);
}

static void settle(struct key_history *history, const struct key_recording *r)
{
	mx_metric_add(history->counters.outcomes[r->outcome], 1);
	switch (r->outcome) {
	case KEY_OUTCOME_NEW:
		history->versions++;
		history->servers += r->first_version;
		refresh_memory(history, r->object->server);
		break;
	case KEY_OUTCOME_RENEWED:
	case KEY_OUTCOME_KEPT: refresh_memory(history, r->object->server); break;
	case KEY_OUTCOME_REPEATED: touch_memory(history, r); break;
	case KEY_OUTCOME_CONFLICT:
		history->conflicts += r->new_conflicts;
		tell_conflict(r);
		break;
	case KEY_OUTCOMES: break;
	}
	show_store(history);
}

int key_history_record(struct key_history *history, const struct key_object *object,
		       const struct key_source *source, struct key_recorded *ret_recorded,
		       struct mx_error *err)
{
	pthread_mutex_t *stripe = stripe_of(history, object->server);
	mx_arena_auto *mem = mx_arena_new(16384);
	struct key_recording r = {
		.store = history->conf.store,
		.object = object,
		.source = source,
		.seal = history->conf.seal ? seal : NULL,
		.seal_ctx = history,
		.mem = mem,
		.err = err,
	};
	int rc;

	pthread_mutex_lock(stripe);
	r.seal_id = seal_id(history);
	rc = key_record_commit(&r);
	if (rc == 0)
		settle(history, &r);
	pthread_mutex_unlock(stripe);
	if (rc == -MX_TOO_LARGE)
		mx_metric_add(history->counters.refused, 1);
	if (rc)
		return rc;
	*ret_recorded = (struct key_recorded){
		.is_new = r.outcome == KEY_OUTCOME_NEW,
		.renewed = r.outcome == KEY_OUTCOME_RENEWED || r.outcome == KEY_OUTCOME_KEPT,
		.conflict = r.outcome == KEY_OUTCOME_CONFLICT,
	};
	return 0;
}

/* ---- reading */

struct key_entry *key_history_peek(struct key_history *history, struct mx_slice server)
{
	return key_memory_find(history->memory, server);
}

int key_history_load(struct key_history *history, struct mx_slice server,
		     struct key_entry **ret_entry, struct mx_error *err)
{
	pthread_mutex_t *stripe = stripe_of(history, server);
	struct key_entry *entry = key_memory_find(history->memory, server);
	int rc = 0;

	if (entry) {
		*ret_entry = entry;
		return 0;
	}
	if (server.len > MX_SERVER_NAME_MAX) {
		*ret_entry = key_entry_new(server, NULL, 0, NULL);
		return 0;
	}
	pthread_mutex_lock(stripe);
	entry = key_memory_find(history->memory, server);
	if (entry)
		*ret_entry = entry;
	else
		rc = load(history, server, ret_entry, err);
	pthread_mutex_unlock(stripe);
	return rc;
}

/* Pairs with close_view(): one snapshot for one answer. */
static struct key_db open_view(struct key_history *history, struct mx_arena *mem,
			       struct mx_error *err)
{
	return (struct key_db){
		.view = store_view_begin(history->conf.store),
		.mem = mem,
		.err = err,
	};
}

static int close_view(const struct key_db *db, int rc)
{
	store_view_end(db->view);
	return rc;
}

int key_history_conflicts(struct key_history *history, struct mx_slice server, size_t limit,
			  struct mx_arena *mem, struct key_conflict **ret_conflicts,
			  size_t *ret_len, struct mx_error *err)
{
	struct key_db db = open_view(history, mem, err);

	return close_view(&db, key_db_conflicts(&db, server, limit, ret_conflicts, ret_len));
}

int key_history_servers(struct key_history *history, struct mx_slice after, size_t limit,
			struct mx_arena *mem, struct mx_slice **ret_names, size_t *ret_len,
			struct mx_error *err)
{
	struct key_db db = open_view(history, mem, err);

	return close_view(&db, key_db_servers(&db, after, limit, ret_names, ret_len));
}

int key_history_audit(struct key_history *history, size_t limit, struct mx_arena *mem,
		      struct key_audit **ret_rows, size_t *ret_len, struct mx_error *err)
{
	struct key_db db = open_view(history, mem, err);

	return close_view(&db, key_db_audits(&db, limit, ret_rows, ret_len));
}

int key_history_note(struct key_history *history, const char *what, struct mx_slice server,
		     const char *reason, struct mx_error *err)
{
	const struct key_db db = { .txn = store_txn_begin(history->conf.store), .err = err };

	key_db_audit_put(&db, &(struct key_audit){
				      .at_ms = mx_now_ms(),
				      .what = mx_slice(what),
				      .server = server,
				      .reason = mx_slice(reason),
			      });
	return store_txn_commit(db.txn, err);
}

static struct key_renewal newest_of(const struct key_db_version *version)
{
	return (struct key_renewal){
		.valid_until_ts = version->valid_until_ts,
		.first_seen_ms = version->renewed_ms,
		.bytes = version->bytes,
	};
}

static int rebuild(const struct key_db *db, const struct key_db_version *version,
		   const struct key_db_renewal *parts, struct key_renewal *ret_renewal)
{
	mx_str_auto bytes = { 0 };

	if (!key_object_join(version->bytes, parts, db->mem, &bytes))
		return mx_fail(db->err, MX_STORE, "A stored key object is damaged");
	*ret_renewal = (struct key_renewal){
		.valid_until_ts = parts->valid_until_ts,
		.first_seen_ms = parts->first_seen_ms,
		.bytes = mx_arena_slice(db->mem, mx_str_slice(&bytes)),
	};
	return 0;
}

static int load_renewals(const struct key_db *db, struct mx_slice server, uint64_t number,
			 struct key_db_renewals *found, struct key_renewal **ret_renewals)
{
	struct key_db_version version;
	struct key_renewal *renewals;
	int rc = key_db_version_get(db, server, number, &version);

	if (rc == 0)
		rc = key_db_renewals(db, server, number, found);
	if (rc)
		return rc;
	renewals = mx_arena_calloc(db->mem, found->len + 1, sizeof(*renewals));
	for (size_t i = 0; rc == 0 && i < found->len; i++)
		rc = rebuild(db, &version, &found->items[i], &renewals[i]);
	renewals[found->len] = newest_of(&version);
	*ret_renewals = renewals;
	return rc;
}

int key_history_renewals(struct key_history *history, struct mx_slice server, uint64_t number,
			 size_t limit, struct mx_arena *mem, struct key_renewal **ret_renewals,
			 size_t *ret_len, struct mx_error *err)
{
	struct key_db db = open_view(history, mem, err);
	struct key_db_renewals found = { .limit = limit };
	int rc = close_view(&db, load_renewals(&db, server, number, &found, ret_renewals));

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no such version");
	if (rc)
		return rc;
	*ret_len = found.len < limit ? found.len + 1 : limit;
	return 0;
}

void key_history_stats(struct key_history *history, struct key_history_stats *ret_stats)
{
	*ret_stats = (struct key_history_stats){
		.servers = history->servers,
		.versions = history->versions,
		.conflicts = history->conflicts,
	};
	key_memory_size(history->memory, &ret_stats->cached_entries, &ret_stats->cached_bytes);
}

struct store *key_history_store(struct key_history *history)
{
	return history->conf.store;
}

/* ---- operators */

int key_history_purge(struct key_history *history, struct mx_slice server, uint64_t number,
		      const char *reason, size_t *ret_removed, struct mx_error *err)
{
	pthread_mutex_t *stripe = stripe_of(history, server);
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_purge purge = {
		.store = history->conf.store,
		.server = server,
		.reason = mx_slice(reason),
		.number = number,
		.mem = mem,
		.err = err,
	};
	int rc;

	pthread_mutex_lock(stripe);
	rc = key_purge_commit(&purge);
	if (rc == 0) {
		history->versions -= purge.versions;
		history->conflicts -= purge.conflicts;
		history->servers -= purge.last_version;
		key_memory_remove(history->memory, server);
		show_store(history);
	}
	pthread_mutex_unlock(stripe);
	if (rc == 0)
		*ret_removed = purge.versions;
	return rc;
}

void key_history_reseal(struct key_history *history, struct mx_slice id)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_lock(&history->stripes[i]);
	mx_free(history->seal_id);
	history->seal_id = mx_strndup(id.ptr, id.len);
	history->seal_id_len = id.len;
	key_memory_clear(history->memory);
	for (size_t i = STRIPES; i-- > 0;)
		pthread_mutex_unlock(&history->stripes[i]);
}

void key_history_forget(struct key_history *history)
{
	key_memory_clear(history->memory);
	show_memory(history);
}

/* ---- from start to end */

static void add_metrics(struct key_history *history)
{
	static const char *const results[KEY_OUTCOMES] = {
		[KEY_OUTCOME_NEW] = "result=\"new\"",
		[KEY_OUTCOME_RENEWED] = "result=\"renewed\"",
		[KEY_OUTCOME_KEPT] = "result=\"older\"",
		[KEY_OUTCOME_REPEATED] = "result=\"repeated\"",
		[KEY_OUTCOME_CONFLICT] = "result=\"conflict\"",
	};
	const struct key_metrics under = { history->conf.metrics, history->conf.metrics_prefix };
	struct counters *c = &history->counters;

	for (size_t i = 0; i < KEY_OUTCOMES; i++)
		c->outcomes[i] = key_counter_new(&under, "key_objects_recorded_total",
						 "Checked key objects by what was new of them",
						 results[i]);
	c->refused = key_counter_new(&under, "key_objects_over_limit_total",
				     "Key objects refused because their server has too many", "");
	c->seals = key_counter_new(&under, "key_seals_total", "Key objects countersigned", "");
	c->seal_seconds = key_histogram_new(&under, "key_seal_seconds",
					    "Time to countersign a key object");
	c->servers = key_gauge_new(&under, "key_servers", "Servers with keys in the store");
	c->versions = key_gauge_new(&under, "key_versions", "Versions of key sets in the store");
	c->conflicts = key_gauge_new(&under, "key_conflicts",
				     "Key ids that reappeared with other bytes");
	c->entries = key_gauge_new(&under, "key_cached_servers", "Servers with keys in memory");
	c->bytes = key_gauge_new(&under, "key_cached_bytes", "Memory of their keys");
}

static int count(struct key_history *history, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_db db = open_view(history, mem, err);
	struct key_db_totals totals = { 0 };
	int rc = close_view(&db, key_db_totals(&db, &totals));

	history->servers = totals.servers;
	history->versions = totals.versions;
	history->conflicts = totals.conflicts;
	return rc;
}

int key_history_new(const struct key_history_conf *conf, struct key_history **ret_history,
		    struct mx_error *err)
{
	struct key_history *history = mx_calloc(1, sizeof(*history));
	int rc;

	history->conf = *conf;
	history->seal_id = mx_strndup(conf->seal_id.ptr ? conf->seal_id.ptr : "",
				      conf->seal_id.len);
	history->seal_id_len = conf->seal_id.len;
	history->memory = key_memory_new(conf->cache_bytes ? conf->cache_bytes : CACHE_BYTES_USUAL);
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&history->stripes[i], NULL);
	add_metrics(history);
	rc = count(history, err);
	if (rc) {
		key_history_free(history);
		return rc;
	}
	show_store(history);
	*ret_history = history;
	return 0;
}

void key_history_free(struct key_history *history)
{
	if (!history)
		return;
	key_memory_free(history->memory);
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&history->stripes[i]);
	mx_free(history->seal_id);
	mx_free(history);
}

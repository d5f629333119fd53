#include "shared/store/store.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/store/inside.h"
#include "shared/store/key.h"
#include "shared/store/migrate.h"

#include <assert.h>
#include <stdatomic.h>

const struct store_table store_own_table = { .name = STORE_OWN_TABLE };

unsigned store_table_number(const struct store *store, const struct store_table *table)
{
	for (unsigned i = 0; i < store->tables_len; i++) {
		if (store->tables[i] == table)
			return i;
	}
	assert(0 && "the table was not listed when the store was opened");
	abort();
}

int store_key_check(struct mx_slice key)
{
	return key.len > STORE_KEY_MAX ? -MX_TOO_LARGE : 0;
}

static void tables_list(struct store *store, const struct store_table *const *tables)
{
	unsigned len = 0;

	while (tables && tables[len])
		len++;
	store->tables = mx_calloc(len + 1, sizeof(*store->tables));
	store->tables[0] = &store_own_table;
	for (unsigned i = 0; i < len; i++)
		store->tables[i + 1] = tables[i];
	store->tables_len = len + 1;
}

static void store_free(struct store *store)
{
	if (store->committer)
		store_committer_free(store->committer);
	if (store->engine)
		store->engine->ops->close(store->engine);
	pthread_mutex_destroy(&store->own_lock);
	mx_free(store->directory);
	mx_free(store->tables);
	mx_free(store);
}

static struct store *store_new(const struct store_conf *conf)
{
	struct store *store = mx_calloc(1, sizeof(*store));

	tables_list(store, conf->tables);
	mx_random_bytes(&store->hash_key, sizeof(store->hash_key));
	mx_random_bytes(&store->owner, sizeof(store->owner));
	store->directory = conf->directory ? mx_strdup(conf->directory) : NULL;
	pthread_mutex_init(&store->own_lock, NULL);
	return store;
}

static int engine_open(struct store *store, const struct store_conf *conf, struct mx_error *err)
{
	const struct store_engine_conf engine_conf = {
		.directory = conf->directory,
		.cache_bytes = conf->cache_bytes,
		.tables = store->tables,
		.tables_len = store->tables_len,
		.metrics = conf->metrics,
		.free_bytes_min = conf->free_bytes_min,
		.check_all = conf->check_all,
		.hash_key = store->hash_key,
	};

	return store_bdb_open(&engine_conf, &store->engine, err);
}

static int stamp_read(const struct store_row *row, uint64_t *ret_stamp)
{
	struct mx_slice rest = row->key;

	return store_key_read_stamp(&rest, ret_stamp) ? 0 : -MX_STORE;
}

/* Where counting goes on. */
static int stamps_begin(struct store *store, const struct store_conf *conf, struct mx_error *err)
{
	const struct store_range last = { .limit = 1, .reverse = true };
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_rows rows = { 0 };
	struct store_view *view;
	uint64_t stamp = 0;
	int rc;

	if (!conf->stamp_table)
		return 0;
	view = store_view_begin(store);
	rc = store_scan(view, conf->stamp_table, &last, mem, &rows);
	store_view_end(view);
	store->stamp_table = store_table_number(store, conf->stamp_table);
	if (rc == 0 && rows.len)
		rc = stamp_read(&rows.items[0], &stamp);
	if (rc)
		return mx_fail(err, MX_STORE, "the last row of %s cannot be read",
			       conf->stamp_table->name);
	store->engine->ops->stamps_begin(store->engine, stamp);
	return 0;
}

int store_open(const struct store_conf *conf, struct store **ret_store, struct mx_error *err)
{
	struct store *store = store_new(conf);
	int rc = engine_open(store, conf, err);

	if (rc == 0)
		rc = stamps_begin(store, conf, err);
	if (rc == 0) {
		store->committer = store_committer_new(store->engine, conf->metrics);
		rc = store_migrate(store, conf, err);
	}
	if (rc) {
		store_free(store);
		return rc;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (store)
		store_free(store);
}

bool store_is_full(struct store *store)
{
	return store->engine->ops->is_full(store->engine);
}

int store_backup(struct store *store, const char *to_directory, struct mx_error *err)
{
	return store->engine->ops->backup(store->engine, to_directory, err);
}

uint64_t store_stamp(struct store *store)
{
	return atomic_load(&store->engine->stamp);
}

void store_watch(struct store *store, const struct store_table *table, store_watch_fn *fn,
		 void *ctx)
{
	store_committer_watch(store->committer, store_table_number(store, table), fn, ctx);
}

void store_watch_stamps(struct store *store, store_stamp_fn *fn, void *ctx)
{
	store_committer_watch_stamps(store->committer, fn, ctx);
}

/* ---- views */

struct store_view *store_view_begin(struct store *store)
{
	struct store_view *view = mx_alloc(sizeof(*view));

	view->store = store;
	view->engine_view = store->engine->ops->view_begin(store->engine);
	return view;
}

uint64_t store_view_stamp(const struct store_view *view)
{
	return view->engine_view->stamp;
}

void store_view_end(struct store_view *view)
{
	if (!view)
		return;
	view->store->engine->ops->view_end(view->engine_view);
	mx_free(view);
}

/* A lone reader cannot run again from its start: what a transaction takes as a conflict is a
 * failure here. */
static int view_rc(int rc)
{
	return rc == -MX_CONFLICT ? -MX_STORE : rc;
}

int store_get(struct store_view *view, const struct store_table *table, struct mx_slice key,
	      struct mx_arena *mem, struct mx_slice *ret_value)
{
	int rc = store_key_check(key);

	if (rc)
		return rc;
	return view_rc(view->store->engine->ops->get(
		view->engine_view, store_table_number(view->store, table), key, mem, ret_value));
}

int store_get_many(struct store_view *view, const struct store_table *table,
		   const struct store_keys *keys, struct mx_arena *mem, struct mx_slice *ret_values)
{
	for (size_t i = 0; i < keys->len; i++) {
		int rc = store_get(view, table, keys->items[i], mem, &ret_values[i]);

		if (rc == -MX_NOT_FOUND)
			ret_values[i] = (struct mx_slice){ 0 };
		else if (rc)
			return rc;
	}
	return 0;
}

/* A bound longer than any key still has a place among them, so it is no error. */
int store_scan(struct store_view *view, const struct store_table *table,
	       const struct store_range *range, struct mx_arena *mem, struct store_rows *ret_rows)
{
	return view_rc(view->store->engine->ops->scan(
		view->engine_view, store_table_number(view->store, table), range, mem, ret_rows));
}

#include "identity/binding/pepper.h"

#include "identity/binding/lookup_memory.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#include <stdio.h>

#define PEPPER_LEN 32
#define LIFE_MS    (7 * MX_DAY_MS)
#define OVERLAP_MS MX_DAY_MS

#define CHANGE_TRIES 5

/* ---- what is in memory */

struct pepper_row *pepper_row_in(struct pepper_rows *rows, enum pepper_state state)
{
	for (size_t i = 0; i < rows->len; i++) {
		if (rows->items[i].state == state)
			return &rows->items[i];
	}
	return NULL;
}

static bool counts(const struct pepper *pepper, const struct pepper_row *row)
{
	if (row->state == PEPPER_PREVIOUS)
		return mx_now_ms() < row->since_ms + pepper->times.overlap_ms;
	return row->state == PEPPER_CURRENT;
}

bool pepper_find(struct pepper *pepper, const char *text, uint64_t *ret_generation)
{
	bool found = false;

	pthread_mutex_lock(&pepper->lock);
	for (size_t i = 0; i < pepper->rows.len && !found; i++) {
		const struct pepper_row *row = &pepper->rows.items[i];

		found = counts(pepper, row) && streq(row->text, text);
		if (found)
			*ret_generation = row->generation;
	}
	pthread_mutex_unlock(&pepper->lock);
	return found;
}

bool pepper_knows(struct pepper *pepper, const char *text)
{
	uint64_t generation;

	return pepper_find(pepper, text, &generation);
}

void pepper_current(struct pepper *pepper, char ret_text[PEPPER_MAX + 1])
{
	const struct pepper_row *row;

	pthread_mutex_lock(&pepper->lock);
	row = pepper_row_in(&pepper->rows, PEPPER_CURRENT);
	snprintf(ret_text, PEPPER_MAX + 1, "%s", row ? row->text : "");
	pthread_mutex_unlock(&pepper->lock);
}

bool pepper_allows_none(struct pepper *pepper)
{
	return !pepper_times_of(pepper).hashes_only;
}

int pepper_refresh(struct pepper *pepper)
{
	struct store_txn *txn = store_txn_begin(pepper->conf.store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct pepper_rows rows;
	int rc = pepper_db_list(txn, mem, &rows);

	store_txn_abort(txn);
	if (rc)
		return rc;
	pthread_mutex_lock(&pepper->lock);
	pepper->rows = rows;
	pthread_mutex_unlock(&pepper->lock);
	return 0;
}

/* ---- beginning */

struct pepper_row pepper_next(const struct pepper_rows *rows)
{
	struct pepper_row row = { 0 };

	for (size_t i = 0; i < rows->len; i++) {
		if (row.generation < rows->items[i].generation)
			row.generation = rows->items[i].generation;
	}
	row.generation++;
	mx_random_token(row.text, PEPPER_LEN);
	return row;
}

static void put_next(struct store_txn *txn, const struct pepper_rows *rows, enum pepper_state state)
{
	struct pepper_row row = pepper_next(rows);

	row.state = state;
	row.since_ms = mx_now_ms();
	pepper_db_put(txn, &row);
}

typedef int change_fn(struct store_txn *txn, struct pepper_rows *rows, const char *text,
		      struct mx_error *err);

/* *ret_again: somebody else's commit came between; nothing happened. */
static int try_change(struct pepper *pepper, change_fn *change, const char *text, bool *ret_again,
		      struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(pepper->conf.store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct pepper_rows rows;
	int rc = pepper_db_list(txn, mem, &rows);

	if (rc == 0)
		rc = change(txn, &rows, text, err);
	if (rc) {
		*ret_again = false;
		store_txn_abort(txn);
		return rc;
	}
	rc = store_txn_commit(txn, err);
	*ret_again = rc == -MX_CONFLICT;
	return rc;
}

/* Runs `change` in a transaction, which may look at the peppers. */
static int change_rows(struct pepper *pepper, change_fn *change, const char *text,
		       struct mx_error *err)
{
	bool again = true;
	int rc = 0;

	for (int i = 0; again && i < CHANGE_TRIES; i++)
		rc = try_change(pepper, change, text, &again, err);
	return rc ? rc : pepper_refresh(pepper);
}

static int make_first(struct store_txn *txn, struct pepper_rows *rows, const char *text,
		      struct mx_error *err)
{
	(void)text;
	(void)err;
	if (rows->len == 0)
		put_next(txn, rows, PEPPER_CURRENT);
	return 0;
}

void pepper_set(struct pepper *pepper, const struct pepper_conf *conf)
{
	pthread_mutex_lock(&pepper->lock);
	pepper->times = (struct pepper_times){
		.life_ms = conf->life_ms ? conf->life_ms : LIFE_MS,
		.overlap_ms = conf->overlap_ms ? conf->overlap_ms : OVERLAP_MS,
		.hashes_only = conf->hashes_only,
	};
	pthread_mutex_unlock(&pepper->lock);
}

struct pepper_times pepper_times_of(struct pepper *pepper)
{
	struct pepper_times times;

	pthread_mutex_lock(&pepper->lock);
	times = pepper->times;
	pthread_mutex_unlock(&pepper->lock);
	return times;
}

static void use_conf(struct pepper *pepper, const struct pepper_conf *conf)
{
	pepper->conf = *conf;
	pepper_set(pepper, conf);
	if (!conf->metrics)
		return;
	pepper->hashed = mx_counter_new(conf->metrics, "identity_lookup_rehashed_total",
					"Hashes made for the next pepper", "");
	pepper->rotations = mx_counter_new(conf->metrics, "identity_lookup_peppers_total",
					   "Peppers that became the current one", "");
}

int pepper_new(const struct pepper_conf *conf, struct pepper **ret_pepper, struct mx_error *err)
{
	struct pepper *pepper = mx_calloc(1, sizeof(*pepper));
	int rc;

	pthread_mutex_init(&pepper->lock, NULL);
	mx_cond_init(&pepper->wake);
	use_conf(pepper, conf);
	rc = change_rows(pepper, make_first, NULL, err);
	if (rc == 0)
		rc = lookup_memory_new(conf->store, conf->memory_bytes, &pepper->memory, err);
	if (rc) {
		pepper_free(pepper);
		return rc;
	}
	*ret_pepper = pepper;
	return 0;
}

void pepper_free(struct pepper *pepper)
{
	if (!pepper)
		return;
	pepper_stop(pepper);
	lookup_memory_free(pepper->memory);
	pthread_cond_destroy(&pepper->wake);
	pthread_mutex_destroy(&pepper->lock);
	mx_free(pepper);
}

/* ---- for operators */

static int begin_rotation(struct store_txn *txn, struct pepper_rows *rows, const char *text,
			  struct mx_error *err)
{
	(void)text;
	if (pepper_row_in(rows, PEPPER_BUILDING) || rows->len == PEPPERS_MAX)
		return mx_fail(err, MX_CONFLICT, "A change of the pepper is under way");
	put_next(txn, rows, PEPPER_BUILDING);
	pepper_db_put_progress(txn, &(struct pepper_progress){ 0 });
	return 0;
}

int pepper_rotate(struct pepper *pepper, struct mx_error *err)
{
	int rc = change_rows(pepper, begin_rotation, NULL, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&pepper->lock);
	pepper->woken = true;
	pthread_cond_signal(&pepper->wake);
	pthread_mutex_unlock(&pepper->lock);
	return 0;
}

/* Nothing is hashed with what it would replace. */
static int check_unused(struct store_txn *txn, struct pepper_rows *rows, const char *text,
			struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct store_range range = { .limit = 1 };
	struct store_rows hashes;
	int rc = store_txn_scan(txn, &lookup_table, &range, mem, &hashes);

	(void)text;
	if (rc)
		return rc;
	if (hashes.len || rows->len != 1 || !pepper_row_in(rows, PEPPER_CURRENT))
		return mx_fail(err, MX_CONFLICT, "There are bindings with another pepper already");
	return 0;
}

bool pepper_may_import(struct pepper *pepper)
{
	return change_rows(pepper, check_unused, NULL, NULL) == 0;
}

static int take_over(struct store_txn *txn, struct pepper_rows *rows, const char *text,
		     struct mx_error *err)
{
	struct pepper_row *current = pepper_row_in(rows, PEPPER_CURRENT);
	int rc = check_unused(txn, rows, text, err);

	if (rc)
		return rc;
	snprintf(current->text, sizeof(current->text), "%s", text);
	current->since_ms = mx_now_ms();
	pepper_db_put(txn, current);
	return 0;
}

int pepper_import(struct pepper *pepper, const char *text, struct mx_error *err)
{
	if (!*text || strlen(text) > PEPPER_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A pepper has 1 to %d characters",
			       PEPPER_MAX);
	return change_rows(pepper, take_over, text, err);
}

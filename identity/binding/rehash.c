/* The change of peppers, step by step. Every step is one transaction, so a kill in the middle
 * costs at most one page of hashes. */
#include "identity/binding/binding_db.h"
#include "identity/binding/listed.h"
#include "identity/binding/lookup_db.h"
#include "identity/binding/pepper.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#define IDLE_MS      (10 * MX_SECOND_MS)
#define FAILED_MS    MX_SECOND_MS
#define PAUSE_US_MIN 500

struct step {
	struct pepper *pepper;
	struct store_txn *txn;
	struct mx_arena *mem;
	struct pepper_rows *rows;
	int64_t now_ms;
	struct pepper_times times;
	bool more, changed;
};

static struct pepper_row *row_in(struct step *step, enum pepper_state state)
{
	return pepper_row_in(step->rows, state);
}

static void move_to(struct step *step, struct pepper_row *row, enum pepper_state state)
{
	row->state = state;
	row->since_ms = step->now_ms;
	pepper_db_put(step->txn, row);
	step->changed = true;
}

/* ---- the steps */

static int drop_page(struct step *step, const struct pepper_row *row)
{
	size_t deleted;
	int rc = lookup_db_drop(step->txn, row->generation, PEPPER_PAGE_ROWS, step->mem, &deleted);

	if (rc)
		return rc;
	step->more = true;
	if (deleted < PEPPER_PAGE_ROWS) {
		pepper_db_delete(step->txn, row->generation);
		step->changed = true;
	}
	return 0;
}

static void finish_building(struct step *step, struct pepper_row *next)
{
	struct pepper_row *current = row_in(step, PEPPER_CURRENT);

	if (current)
		move_to(step, current, PEPPER_PREVIOUS);
	move_to(step, next, PEPPER_CURRENT);
	mx_metric_add(step->pepper->rotations, 1);
}

/* *from: where the page begins, then where the next one does. */
static int build_of_bindings(struct step *step, const struct pepper_row *next,
			     struct mx_slice *from)
{
	const struct store_reader reader = { .txn = step->txn, .mem = step->mem };
	struct binding_page page;
	int rc = binding_db_page(&reader, *from, PEPPER_PAGE_ROWS, &page);

	if (rc)
		return rc;
	for (size_t i = 0; i < page.len; i++)
		lookup_put_binding(step->txn, next, &page.items[i]);
	mx_metric_add(step->pepper->hashed, (int64_t)page.len);
	*from = page.next;
	return 0;
}

static int build_of_listed(struct step *step, const struct pepper_row *next, struct mx_slice *from)
{
	struct listed_page page;
	int rc = listed_page(step->txn, *from, PEPPER_PAGE_ROWS, step->mem, &page);

	if (rc)
		return rc;
	for (size_t i = 0; i < page.len; i++)
		lookup_put_listed(step->txn, next, &page.items[i], step->mem);
	mx_metric_add(step->pepper->hashed, (int64_t)page.len);
	*from = page.next;
	return 0;
}

static int build_page(struct step *step, struct pepper_row *next)
{
	struct pepper_progress progress;
	int rc = pepper_db_progress(step->txn, step->mem, &progress);

	if (rc == 0 && !progress.listed) {
		rc = build_of_bindings(step, next, &progress.from);
		progress.listed = !progress.from.ptr;
	}
	if (rc == 0 && progress.listed) {
		rc = build_of_listed(step, next, &progress.from);
		progress.listed = progress.from.ptr;
	}
	if (rc)
		return rc;
	pepper_db_put_progress(step->txn, &progress);
	step->more = true;
	if (!progress.from.ptr)
		finish_building(step, next);
	return 0;
}

static void begin_building(struct step *step)
{
	struct pepper_row row = pepper_next(step->rows);

	move_to(step, &row, PEPPER_BUILDING);
	pepper_db_put_progress(step->txn, &(struct pepper_progress){ 0 });
	step->more = true;
}

static bool is_over(const struct step *step, const struct pepper_row *row, int64_t life_ms)
{
	return row && life_ms > 0 && step->now_ms >= row->since_ms + life_ms;
}

/* What is to be given up goes first: no more than two tables are whole at a time. */
static int next_step(struct step *step)
{
	struct pepper_row *retired = row_in(step, PEPPER_RETIRED);
	struct pepper_row *building = row_in(step, PEPPER_BUILDING);
	struct pepper_row *previous = row_in(step, PEPPER_PREVIOUS);

	if (retired)
		return drop_page(step, retired);
	if (building)
		return build_page(step, building);
	if (is_over(step, previous, step->times.overlap_ms)) {
		move_to(step, previous, PEPPER_RETIRED);
		step->more = true;
		return 0;
	}
	if (is_over(step, row_in(step, PEPPER_CURRENT), step->times.life_ms) && !previous)
		begin_building(step);
	return 0;
}

int pepper_step(struct pepper *pepper, int64_t now_ms, bool *ret_more)
{
	mx_arena_auto *mem = mx_arena_new(64 * 1024);
	struct pepper_rows rows;
	struct step step = {
		.pepper = pepper,
		.txn = store_txn_begin(pepper->conf.store),
		.mem = mem,
		.rows = &rows,
		.now_ms = now_ms,
		.times = pepper_times_of(pepper),
	};
	int rc = pepper_db_list(step.txn, mem, &rows);

	if (rc == 0)
		rc = next_step(&step);
	if (rc) {
		store_txn_abort(step.txn);
		return rc;
	}
	rc = store_txn_commit(step.txn, NULL);
	if (rc == 0 && step.changed)
		rc = pepper_refresh(pepper);
	if (rc == 0)
		*ret_more = step.more;
	return rc;
}

/* ---- in the background */

static bool wait_us(struct pepper *pepper, int64_t us)
{
	const struct timespec until = mx_after_us(us);
	bool go_on;

	pthread_mutex_lock(&pepper->lock);
	while (!pepper->stopping && !pepper->woken &&
	       pthread_cond_timedwait(&pepper->wake, &pepper->lock, &until) == 0)
		;
	pepper->woken = false;
	go_on = !pepper->stopping;
	pthread_mutex_unlock(&pepper->lock);
	return go_on;
}

/* Half as long as the page took: a third of the time is everybody else's, of the committer too. */
static int64_t pause_us(int64_t took_us)
{
	return took_us / 2 > PAUSE_US_MIN ? took_us / 2 : PAUSE_US_MIN;
}

static int64_t run_step(struct pepper *pepper)
{
	int64_t began_us = mx_mono_us();
	bool more = false;
	int rc = pepper_step(pepper, mx_now_ms(), &more);

	if (rc && rc != -MX_CONFLICT) {
		mx_log(MX_LOG_WARN, "the look-up's pepper could not be worked on; tried again",
		       "reason", mx_errc((enum mx_code) - rc)->text, NULL);
		return FAILED_MS * 1000;
	}
	return rc || more ? pause_us(mx_mono_us() - began_us) : IDLE_MS * 1000;
}

static void *pepper_main(void *ctx)
{
	struct pepper *pepper = ctx;

	mx_thread_yields();
	while (wait_us(pepper, run_step(pepper)))
		;
	return NULL;
}

void pepper_start(struct pepper *pepper)
{
	pepper->running = true;
	pepper->thread = mx_thread_start("pepper", pepper_main, pepper);
}

void pepper_stop(struct pepper *pepper)
{
	if (!pepper->running)
		return;
	pthread_mutex_lock(&pepper->lock);
	pepper->stopping = true;
	pthread_cond_signal(&pepper->wake);
	pthread_mutex_unlock(&pepper->lock);
	pthread_join(pepper->thread, NULL);
	pepper->running = pepper->stopping = false;
}

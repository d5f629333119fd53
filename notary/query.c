#include "notary/query.h"

#include "notary/budget.h"
#include "notary/freshness.h"
#include "notary/notary.h"
#include "notary/notary_conf.h"
#include "notary/refresh.h"
#include "notary/trust.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/http/request.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"

#include <stdatomic.h>

#define BUDGET_RETRY_MS (10 * MX_SECOND_MS)
#define IO_SERVERS_MAX  256 /* larger questions leave the I/O thread */
#define WANTS_MAX       64 /* more keys of one server than that are all its keys */
/* What a question may be answered with: askers read no more, and the memory is ours. */
#define ANSWER_MAX (64u * 1024 * 1024)

enum asked_state { ASKED_NEW, ASKED_FETCHING, ASKED_DONE };

/* One server of the question. */
struct asked {
	struct mx_slice server;
	size_t first_want, wants_len;
	enum asked_state state;
	bool denied, over_budget, fetched; /* what became of it */
	struct key_entry *entry; /* once DONE; NULL: nothing may be said of it */
};

/* Fetches under way; outlives the question if its asker does not wait. */
struct pending {
	_Atomic int refs;
	_Atomic size_t left;
	struct req_wake *wake;
};

struct query {
	struct notary *notary;
	struct mx_arena *mem;
	const char *asker;
	struct mx_vec(struct asked) asked;
	struct mx_vec(struct want) wants;
	int64_t now_ms;
	bool over_budget; /* a server was not asked because of it */
	bool waiting; /* fetches were started */
	bool late; /* the deadline passed before they ended */
};

/* ---- the question */

struct query *query_new(struct notary *notary, const char *asker)
{
	struct query *query = mx_calloc(1, sizeof(*query));

	query->notary = notary;
	query->mem = mx_arena_new(0);
	query->asker = mx_arena_strdup(query->mem, asker);
	query->now_ms = mx_now_ms();
	return query;
}

void query_free(void *ptr)
{
	struct query *query = ptr;

	for (size_t i = 0; i < query->asked.len; i++)
		if (query->asked.items[i].entry)
			key_entry_unref(query->asked.items[i].entry);
	mx_vec_done(&query->asked);
	mx_vec_done(&query->wants);
	mx_arena_free(query->mem);
	mx_free(query);
}

static void want_all(struct want *want, int64_t minimum_ms)
{
	want->key_id = mx_slice("");
	if (want->minimum_ms < minimum_ms)
		want->minimum_ms = minimum_ms;
}

void query_add(struct query *query, struct mx_slice server, struct mx_slice key_id,
	       int64_t minimum_ms)
{
	struct asked *last = query->asked.len ? &query->asked.items[query->asked.len - 1] : NULL;

	if (!last || !mx_slice_eq(last->server, server)) {
		mx_vec_push(&query->asked,
			    (struct asked){ .server = mx_arena_slice(query->mem, server),
					    .first_want = query->wants.len });
		last = &query->asked.items[query->asked.len - 1];
	}
	if (minimum_ms == QUERY_NOW)
		minimum_ms = query->now_ms;
	if (last->wants_len == WANTS_MAX) {
		want_all(&query->wants.items[last->first_want], minimum_ms);
		return;
	}
	mx_vec_push(&query->wants, (struct want){ mx_arena_slice(query->mem, key_id), minimum_ms });
	last->wants_len++;
}

/* ---- fetches */

static void pending_unref(struct pending *pending)
{
	if (atomic_fetch_sub(&pending->refs, 1) != 1)
		return;
	req_wake_unref(pending->wake);
	mx_free(pending);
}

static void fetched(void *ctx, int rc)
{
	struct pending *pending = ctx;

	(void)rc; /* success and failure alike: the history says what is known now */
	if (atomic_fetch_sub(&pending->left, 1) == 1)
		req_wake(pending->wake);
	pending_unref(pending);
}

static void start_fetches(struct query *query, struct req *r, size_t count)
{
	struct notary *notary = query->notary;
	struct pending *pending = mx_alloc(sizeof(*pending));

	*pending = (struct pending){ .refs = (int)count + 1, .left = count };
	pending->wake = req_wake_new(r, notary->conf->query.deadline_ms);
	for (size_t i = 0; i < query->asked.len; i++)
		if (query->asked.items[i].state == ASKED_FETCHING)
			key_fetch(notary->fetcher, query->asked.items[i].server, false, fetched,
				  pending);
	pending_unref(pending);
}

/* ---- what is known */

static bool is_met(const struct query *query, const struct asked *asked)
{
	for (size_t i = 0; i < asked->wants_len; i++)
		if (!want_is_met(&query->wants.items[asked->first_want + i], asked->entry,
				 query->now_ms))
			return false;
	return true;
}

static bool may_fetch(struct query *query, struct asked *asked)
{
	struct notary *notary = query->notary;

	if (mx_slice_is(asked->server, notary->conf->server_name) ||
	    !key_fetch_may(notary->fetcher, asked->server))
		return false;
	if (budget_take(notary->budget, query->asker))
		return true;
	query->over_budget = asked->over_budget = true;
	return false;
}

static int find_entry(struct query *query, struct asked *asked, struct req *r)
{
	struct notary *notary = query->notary;

	asked->entry = key_history_peek(notary->history, asked->server);
	if (asked->entry)
		return 0;
	if (r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	return key_history_load(notary->history, asked->server, &asked->entry, &r->err);
}

/* After it: DONE, or FETCHING. */
static int look(struct query *query, struct asked *asked, struct req *r)
{
	int rc;

	if (!trust_allows(query->notary->trust, asked->server)) {
		asked->denied = true;
		asked->state = ASKED_DONE;
		return 0;
	}
	rc = find_entry(query, asked, r);
	if (rc)
		return rc;
	refresh_note(query->notary->refresh, asked->server, asked->entry);
	asked->state = ASKED_DONE;
	if (is_met(query, asked) || !may_fetch(query, asked))
		return 0;
	key_entry_unref(asked->entry);
	asked->entry = NULL;
	asked->state = ASKED_FETCHING;
	return 0;
}

/* Looks at everything new; *ret_fetching counts the servers that must be asked. */
static int look_at_all(struct query *query, struct req *r, size_t *ret_fetching)
{
	*ret_fetching = 0;
	for (size_t i = 0; i < query->asked.len; i++) {
		struct asked *asked = &query->asked.items[i];
		int rc = asked->state == ASKED_NEW ? look(query, asked, r) : 0;

		if (rc)
			return rc;
		*ret_fetching += asked->state == ASKED_FETCHING;
	}
	return 0;
}

/* The fetches have ended or the deadline passed: what is known now is the answer. */
static int take_results(struct query *query, struct req *r)
{
	if (r->timed_out && !query->late) {
		query->late = true;
		mx_metric_add(query->notary->counters.deadline, 1);
	}
	for (size_t i = 0; i < query->asked.len; i++) {
		struct asked *asked = &query->asked.items[i];
		int rc;

		if (asked->state != ASKED_FETCHING)
			continue;
		rc = find_entry(query, asked, r);
		if (rc)
			return rc;
		refresh_note(query->notary->refresh, asked->server, asked->entry);
		asked->fetched = true;
		asked->state = ASKED_DONE;
	}
	return 0;
}

/* ---- the answer */

static void add_version(struct mx_str *out, const struct key_version *version)
{
	if (out->ptr[out->len - 1] != '[')
		mx_str_add_char(out, ',');
	mx_str_add_slice(out, version->sealed);
}

static void add_marked(struct query *query, const struct key_entry *entry, const bool *mark,
		       struct mx_str *out)
{
	for (size_t i = 0; i < entry->len; i++)
		if (mark[i] && out->len + entry->versions[i].sealed.len < ANSWER_MAX &&
		    trust_fits_pins(query->notary->trust, entry->server, &entry->versions[i]))
			add_version(out, &entry->versions[i]);
}

static struct mx_metric *outcome_of(const struct query *query, const struct asked *asked)
{
	const struct notary *notary = query->notary;

	if (asked->denied)
		return notary->counters.denied;
	if (!asked->entry || asked->entry->len == 0)
		return asked->over_budget ? notary->counters.budget : notary->counters.missing;
	if (!is_met(query, asked))
		return notary->counters.stale;
	return asked->fetched ? notary->counters.fetched : notary->counters.known;
}

static void add_server(struct query *query, const struct asked *asked, struct mx_str *out)
{
	const struct key_entry *entry = asked->entry;
	bool *mark, *first;

	mx_metric_add(outcome_of(query, asked), 1);
	if (!entry || entry->len == 0)
		return;
	mark = mx_arena_calloc(query->mem, entry->len, sizeof(*mark));
	first = mx_arena_calloc(query->mem, entry->len, sizeof(*first));
	for (size_t i = 0; i < asked->wants_len; i++)
		want_mark(&query->wants.items[asked->first_want + i], entry, mark, first);
	add_marked(query, entry, first, out);
	for (size_t i = 0; i < entry->len; i++)
		mark[i] = mark[i] && !first[i];
	add_marked(query, entry, mark, out);
}

static size_t answer_size(const struct query *query)
{
	size_t size = 64;

	for (size_t i = 0; i < query->asked.len; i++) {
		const struct key_entry *entry = query->asked.items[i].entry;

		size += entry && entry->len ? entry_newest(entry)->sealed.len + 16 : 0;
	}
	return size;
}

static int answer(struct query *query, struct req *r)
{
	struct mx_str out = { 0 };
	size_t head;

	mx_str_reserve(&out, answer_size(query));
	mx_str_add_text(&out, "{\"server_keys\":[");
	head = out.len;
	for (size_t i = 0; i < query->asked.len; i++)
		add_server(query, &query->asked.items[i], &out);
	if (out.len == head && query->over_budget) {
		mx_str_done(&out);
		r->err.retry_after_ms = BUDGET_RETRY_MS;
		return mx_fail(&r->err, MX_LIMIT_EXCEEDED,
			       "Too many servers that have to be looked for");
	}
	mx_str_add_text(&out, "]}");
	reply_owned(r, "application/json", out.ptr, out.len);
	return 0;
}

int query_run(struct query *query, struct req *r)
{
	size_t fetching = 0;
	int rc;

	if (r->lane == LANE_IO && query->asked.len > IO_SERVERS_MAX)
		return -MX_MOVE_WORK; /* others wait for this thread */
	rc = query->waiting ? take_results(query, r) : look_at_all(query, r, &fetching);
	if (rc)
		return rc;
	if (!fetching)
		return answer(query, r);
	if (r->lane == LANE_IO)
		return -MX_MOVE_WORK;
	query->waiting = true;
	start_fetches(query, r, fetching);
	return -MX_PARK;
}

/* Spec: client-server API, "Relationships API": the children of an event, in the order in which
 * they arrived. */
#include "homeserver/json_out.h"
#include "homeserver/routes.h"
#include "homeserver/timeline/page_token.h"
#include "homeserver/timeline/reading.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/vec.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"

#define RELATIONS_DEFAULT 50
#define RELATIONS_MAX     1000
#define LOOKED_MAX        2000 /* children in one page */
#define RECURSION_MAX     3
#define RELATED_MAX       10000 /* of which a page is taken when indirect ones are asked for */
#define CHUNK             200

struct related {
	struct reading *reading;
	const char *type, *event_type; /* NULL: any */
	struct timeline_range range; /* what is asked for */
	size_t limit;
	bool recurse;
	struct mx_vec(struct relation_row) rows; /* those to look at next */
	struct mx_vec(struct stored_event) found;
	bool more;
	int64_t last; /* rseq of the last one that was looked at */
};

/* ---- what the query says */

/* A place is before the event that stands there. */
static int query_bound(struct related *q, const char *name, int64_t other, int64_t *ret_bound)
{
	const char *token = req_query(q->reading->r, name);
	struct topo_place place;
	int rc;

	*ret_bound = other;
	if (!token || !*token)
		return 0;
	rc = reading_place(q->reading, token, &place);
	if (rc == 0)
		*ret_bound = place.rseq;
	return rc;
}

/* Forwards: from ≤ rseq < to; backwards: to ≤ rseq < from. */
static int query_range(struct related *q)
{
	bool backwards = q->range.reverse;
	int64_t begin, end;
	int rc = query_bound(q, backwards ? "to" : "from", INT64_MIN + 1, &begin);

	if (rc == 0)
		rc = query_bound(q, backwards ? "from" : "to", INT64_MAX, &end);
	if (rc)
		return rc;
	q->range.after = begin == INT64_MIN ? begin : begin - 1;
	q->range.before = end;
	return 0;
}

static int query(struct related *q)
{
	struct req *r = q->reading->r;
	const char *recurse = req_query(r, "recurse");
	int rc = reading_direction(r, "b", &q->range.reverse);

	if (rc == 0)
		rc = reading_limit(r, RELATIONS_DEFAULT, RELATIONS_MAX, &q->limit);
	if (rc == 0)
		rc = query_range(q);
	if (rc == 0 && recurse && !streq(recurse, "true") && !streq(recurse, "false"))
		return mx_fail(&r->err, MX_INVALID_PARAM, "recurse must be true or false");
	q->recurse = streq(recurse, "true");
	return rc;
}

/* ---- taking them */

static bool is_wanted(const struct related *q, const struct relation_row *row)
{
	return (!q->type || mx_slice_is(row->type, q->type)) &&
	       (!q->event_type || mx_slice_is(row->event_type, q->event_type));
}

static int take(struct related *q, const struct relation_row *row)
{
	struct stored_event event;
	int rc;

	if (q->found.len == q->limit) {
		q->more = true;
		return 0;
	}
	q->last = row->rseq;
	if (!is_wanted(q, row))
		return 0;
	rc = event_db_load(&q->reading->call, q->reading->room, row->event, &event);
	if (rc == 0 && reading_shows(q->reading, &event))
		mx_vec_push(&q->found, event);
	return rc;
}

/* ---- direct children: read as they are needed */

static int take_children(struct related *q, struct mx_slice parent_id)
{
	struct timeline_range range = q->range;
	size_t looked = 0;
	int rc = 0;

	range.limit = CHUNK;
	while (rc == 0 && !q->more) {
		struct relation_list list = { 0 };

		rc = relation_db_list(&q->reading->call, q->reading->room, parent_id,
				      q->type ? mx_slice(q->type) : MX_SLICE(""), &range, &list);
		for (size_t i = 0; rc == 0 && i < list.len && !q->more; i++)
			rc = take(q, &list.items[i]);
		looked += list.len;
		if (list.len < CHUNK)
			break;
		q->more = q->more || looked >= LOOKED_MAX;
		if (range.reverse)
			range.before = list.items[list.len - 1].rseq;
		else
			range.after = list.items[list.len - 1].rseq;
	}
	return rc;
}

/* ---- children of children: all of them are found, then put in order */

/* Spec: "Events … whose only relation to the original given event is through a non-matching
 * intermediate event, will not be included". */
static int add_rows(struct related *q, struct mx_slice parent_id)
{
	const struct timeline_range all = { .after = INT64_MIN,
					    .before = INT64_MAX,
					    .limit = RELATED_MAX };
	struct relation_list list;
	int rc = relation_db_list(&q->reading->call, q->reading->room, parent_id, MX_SLICE(""),
				  &all, &list);

	for (size_t i = 0; rc == 0 && i < list.len && q->rows.len < RELATED_MAX; i++)
		if (is_wanted(q, &list.items[i]))
			mx_vec_push(&q->rows, list.items[i]);
	return rc;
}

/* mem: of this one alone, as there may be many. */
static int add_rows_of(struct related *q, uint32_t number, struct mx_arena *mem)
{
	struct hs_call call = q->reading->call;
	struct stored_event event;
	int rc;

	call.mem = mem;
	rc = event_db_load(&call, q->reading->room, number, &event);
	return rc ? rc : add_rows(q, event.event.id);
}

static int by_arrival(const void *a, const void *b)
{
	const struct relation_row *one = a, *other = b;

	return one->rseq < other->rseq ? -1 : one->rseq > other->rseq;
}

/* An event has one parent, so nothing is found twice, except in a circle, which ends with the
 * levels; equal ones stand side by side then. */
static int take_in_order(struct related *q)
{
	size_t len = q->rows.len;
	int64_t previous = INT64_MIN;
	int rc = 0;

	if (len)
		qsort(q->rows.items, len, sizeof(*q->rows.items), by_arrival);
	for (size_t i = 0; rc == 0 && i < len && !q->more; i++) {
		const struct relation_row *row = &q->rows.items[q->range.reverse ? len - 1 - i : i];

		if (row->rseq <= q->range.after || row->rseq >= q->range.before ||
		    row->rseq == previous)
			continue;
		previous = row->rseq;
		rc = take(q, row);
	}
	return rc;
}

static int take_descendants(struct related *q, struct mx_slice parent_id)
{
	mx_arena_auto *mem = mx_arena_new(0);
	size_t next = 0;
	int rc = add_rows(q, parent_id);

	for (int depth = 1; rc == 0 && depth < RECURSION_MAX; depth++) {
		size_t end = q->rows.len;

		for (; rc == 0 && next < end; next++) {
			rc = add_rows_of(q, q->rows.items[next].event, mem);
			mx_arena_reset(mem);
		}
	}
	return rc ? rc : take_in_order(q);
}

/* ---- answering */

static void add_token(struct mx_str *out, const char *key, int64_t rseq)
{
	page_token_write(out, key, (struct topo_place){ 0, rseq });
}

static void write_answer(struct related *q)
{
	struct mx_str *out = &q->reading->out;
	const char *from = req_query(q->reading->r, "from");

	mx_str_add_text(out, "{\"chunk\":[");
	for (size_t i = 0; i < q->found.len; i++)
		reading_event(q->reading, &q->found.items[i]);
	mx_str_add_char(out, ']');
	if (q->more)
		add_token(out, "next_batch", q->range.reverse ? q->last : q->last + 1);
	if (from && *from) {
		json_key(out, "prev_batch");
		mx_canonical_string(out, mx_slice(from));
	}
	/* Spec: "mandatory" if the parameter was supplied, else "must be absent". */
	if (req_query(q->reading->r, "recurse"))
		mx_str_addf(out, ",\"recursion_depth\":%d", q->recurse ? RECURSION_MAX : 1);
	mx_str_add_char(out, '}');
}

static int answer(struct related *q)
{
	struct mx_slice parent_id = mx_slice(req_param(q->reading->r, "eventId"));
	struct stored_event parent;
	int rc = reading_find(q->reading, parent_id, &parent);

	if (rc == 0)
		rc = query(q);
	if (rc == 0)
		rc = q->recurse ? take_descendants(q, parent_id) : take_children(q, parent_id);
	if (rc == 0)
		write_answer(q);
	mx_vec_done(&q->rows);
	mx_vec_done(&q->found);
	return rc;
}

static int relations(struct req *r, const char *type, const char *event_type)
{
	struct related q = { .type = type, .event_type = event_type };
	struct reading reading;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == -MX_FORBIDDEN)
		return mx_fail(&r->err, MX_NOT_FOUND, "There is no such event");
	q.reading = &reading;
	return rc ? rc : reading_end(&reading, answer(&q));
}

static int get_relations(struct req *r)
{
	return relations(r, NULL, NULL);
}

static int get_relations_of_type(struct req *r)
{
	return relations(r, req_param(r, "relType"), NULL);
}

static int get_relations_of_event_type(struct req *r)
{
	return relations(r, req_param(r, "relType"), req_param(r, "eventType"));
}

#define RELATIONS CLIENT_V1 "/rooms/{roomId:room_id}/relations/{eventId:event_id}"
#define READ                                                                          \
	.auth = AUTH_USER, .limit = LIMIT_READ, .txn = TXN_READ, .flags = ROUTE_CORS, \
	.reply = "client/relations.reply"

const struct route relations_routes[] = {
	{ GET, RELATIONS, get_relations, READ },
	{ GET, RELATIONS "/{relType}", get_relations_of_type, READ },
	{ GET, RELATIONS "/{relType}/{eventType}", get_relations_of_event_type, READ },
	{ 0 },
};

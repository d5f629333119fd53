/* Spec: client-server API, "Getting events for a room": a room's history, page by page. */
#include "homeserver/json_out.h"
#include "homeserver/routes.h"
#include "homeserver/timeline/page.h"
#include "homeserver/timeline/page_token.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/canonical.h"

#define MESSAGES_DEFAULT 10
#define CONTEXT_DEFAULT  10

static void add_events(struct reading *reading, const char *key, const struct page *page)
{
	json_key(&reading->out, key);
	mx_str_add_char(&reading->out, '[');
	for (size_t i = 0; i < page->len; i++)
		reading_event(reading, &page->items[i]);
	mx_str_add_char(&reading->out, ']');
}

/* ---- /messages */

static int ask_place(struct reading *reading, const char *key, struct topo_place *place)
{
	const char *token = req_query(reading->r, key);

	return token && *token ? reading_place(reading, token, place) : 0;
}

static int ask_messages(struct reading *reading, struct page_ask *ask)
{
	struct req *r = reading->r;
	int rc = reading_direction(r, NULL, &ask->backwards);

	if (rc == 0)
		rc = reading_limit(r, MESSAGES_DEFAULT, PAGE_LIMIT_MAX, &ask->limit);
	ask->to = ask->backwards ? TOPO_FIRST : TOPO_LAST;
	ask->from = TOPO_FIRST;
	if (rc == 0 && ask->backwards)
		rc = reading_last_place(reading, &ask->from);
	if (rc == 0)
		rc = ask_place(reading, "from", &ask->from);
	return rc ? rc : ask_place(reading, "to", &ask->to);
}

/* Spec: "the same as the value given in from". */
static void write_start(struct reading *reading, const struct page_ask *ask)
{
	const char *from = req_query(reading->r, "from");

	if (!from || !*from) {
		page_token_write(&reading->out, "start", ask->from);
		return;
	}
	json_key(&reading->out, "start");
	mx_canonical_string(&reading->out, mx_slice(from));
}

static void write_messages(struct reading *reading, const struct page_ask *ask,
			   const struct page *page)
{
	struct page_senders senders = { .reading = reading };
	struct mx_str *out = &reading->out;

	mx_str_add_char(out, '{');
	add_events(reading, "chunk", page);
	write_start(reading, ask);
	if (page->more)
		page_token_write(out, "end", page->end);
	if (ask->filter->lazy_load_members) {
		mx_str_add_text(out, ",\"state\":[");
		for (size_t i = 0; i < page->len; i++)
			page_senders_add(&senders, &page->items[i]);
		mx_str_add_char(out, ']');
	}
	mx_str_add_char(out, '}');
	page_senders_done(&senders);
}

static int get_messages(struct req *r)
{
	struct event_filter filter = { 0 };
	struct page_ask ask = { .filter = &filter };
	struct reading reading;
	struct page page;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = page_filter(r, &filter);
	if (rc == 0)
		rc = ask_messages(&reading, &ask);
	if (rc == 0)
		rc = page_load(&reading, &ask, &page);
	if (rc == 0)
		write_messages(&reading, &ask, &page);
	return reading_end(&reading, rc);
}

/* ---- /context */

struct context {
	struct stored_event event;
	struct page before, after;
};

static int load_context(struct reading *reading, size_t limit, const struct event_filter *filter,
			struct context *context)
{
	const struct page_ask before = { .from = topo_of(&context->event),
					 .to = TOPO_FIRST,
					 .backwards = true,
					 .limit = limit / 2,
					 .filter = filter };
	const struct page_ask after = { .from = topo_behind(before.from),
					.to = TOPO_LAST,
					.limit = limit - limit / 2,
					.filter = filter };
	int rc = page_load(reading, &before, &context->before);

	return rc ? rc : page_load(reading, &after, &context->after);
}

static bool is_wanted(const void *filter, const struct event *event)
{
	return event_filter_allows(filter, event);
}

/* Spec: "The state of the room at the last event returned". */
static const struct room_state *last_state(const struct context *context)
{
	return context->after.len ? &context->after.items[context->after.len - 1].header.after
				  : &context->event.header.after;
}

static int add_whole_state(struct reading *reading, const struct context *context,
			   const struct event_filter *filter)
{
	enum state_part part = filter->lazy_load_members ? STATE_OTHERS : STATE_ALL;

	return reading_state(reading, last_state(context), part,
			     &(struct state_choice){ is_wanted, filter });
}

static int add_state(struct reading *reading, const struct context *context,
		     const struct event_filter *filter)
{
	struct page_senders senders = { .reading = reading, .state = last_state(context) };
	int rc = add_whole_state(reading, context, filter);

	if (rc == 0 && filter->lazy_load_members) {
		for (size_t i = context->after.len; i-- > 0;)
			page_senders_add(&senders, &context->after.items[i]);
		page_senders_add(&senders, &context->event);
		for (size_t i = 0; i < context->before.len; i++)
			page_senders_add(&senders, &context->before.items[i]);
	}
	page_senders_done(&senders);
	return rc;
}

static int write_context(struct reading *reading, const struct context *context,
			 const struct event_filter *filter)
{
	struct mx_str *out = &reading->out;
	int rc;

	mx_str_add_text(out, "{\"event\":");
	reading_event(reading, &context->event);
	add_events(reading, "events_before", &context->before);
	add_events(reading, "events_after", &context->after);
	page_token_write(out, "start", context->before.end);
	page_token_write(out, "end", context->after.end);
	json_key(out, "state");
	mx_str_add_char(out, '[');
	rc = add_state(reading, context, filter);
	mx_str_add_text(out, "]}");
	return rc;
}

/* 0 is a limit here: the event alone. */
static int context_limit(struct req *r, size_t *ret_limit)
{
	const char *text = req_query(r, "limit");

	*ret_limit = 0;
	return streq(text, "0") ? 0 : reading_limit(r, CONTEXT_DEFAULT, PAGE_LIMIT_MAX, ret_limit);
}

static int get_context(struct req *r)
{
	struct event_filter filter = { 0 };
	struct context context;
	struct reading reading;
	size_t limit = 0;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = context_limit(r, &limit);
	if (rc == 0)
		rc = page_filter(r, &filter);
	if (rc == 0)
		rc = reading_find(&reading, mx_slice(req_param(r, "eventId")), &context.event);
	if (rc == 0)
		rc = load_context(&reading, limit, &filter, &context);
	if (rc == 0)
		rc = write_context(&reading, &context, &filter);
	return reading_end(&reading, rc);
}

/* ---- /timestamp_to_event */

#define TIMES_LOOKED 1000

static int find_time(struct reading *reading, int64_t ts, bool backwards,
		     struct stored_event *ret_event)
{
	struct time_list list;
	int rc = time_db_scan(&reading->call, reading->room, ts, backwards, TIMES_LOOKED, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++) {
		rc = event_db_load(&reading->call, reading->room, list.events[i], ret_event);
		if (rc == 0 && reading_shows(reading, ret_event))
			return 0;
	}
	return rc ? rc : mx_fail(&reading->r->err, MX_NOT_FOUND, "There is no event on that side");
}

static int query_ts(struct req *r, int64_t *ret_ts)
{
	if (!req_query(r, "ts"))
		return mx_fail(&r->err, MX_MISSING_PARAM, "ts is missing");
	return req_query_i64(r, "ts", 0, ret_ts);
}

static int get_timestamp(struct req *r)
{
	struct stored_event event;
	struct reading reading;
	bool backwards = false;
	int64_t ts = 0;
	int rc = reading_begin(&reading, r, mx_slice(req_param(r, "roomId")));

	if (rc == 0)
		rc = query_ts(r, &ts);
	if (rc == 0)
		rc = reading_direction(r, NULL, &backwards);
	if (rc == 0)
		rc = find_time(&reading, ts, backwards, &event);
	if (rc == 0) {
		mx_str_add_text(&reading.out, "{\"event_id\":");
		mx_canonical_string(&reading.out, event.event.id);
		mx_str_addf(&reading.out, ",\"origin_server_ts\":%lld}",
			    (long long)event.event.origin_server_ts);
	}
	return reading_end(&reading, rc);
}

#define ROOM      "/rooms/{roomId:room_id}"
#define READ_ROOM .limit = LIMIT_READ, .txn = TXN_READ

const struct route messages_routes[] = {
	{ GET, CLIENT_V3 ROOM "/messages", get_messages, .auth = AUTH_USER_OR_GUEST, READ_ROOM,
	  .flags = ROUTE_CORS, .reply = "client/messages.reply" },
	{ GET, CLIENT_V3 ROOM "/context/{eventId:event_id}", get_context,
	  .auth = AUTH_USER_OR_GUEST, READ_ROOM, .flags = ROUTE_CORS,
	  .reply = "client/context.reply" },
	{ GET, CLIENT_V1 ROOM "/timestamp_to_event", get_timestamp, .auth = AUTH_USER, READ_ROOM,
	  .flags = ROUTE_CORS, .reply = "client/timestamp_to_event.reply" },
	{ 0 },
};

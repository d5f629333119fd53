#include "homeserver/timeline/page.h"

#include "homeserver/event/event_types.h"
#include "homeserver/userdata/filter.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

#define CHUNK      100 /* events that are looked at at a time */
#define LOOKED_MAX 1000 /* in one page: what is hidden or filtered does not hold anybody up */

struct paging {
	struct reading *reading;
	const struct page_ask *ask;
	struct page page;
	size_t looked;
	bool done;
};

static bool is_beyond(const struct page_ask *ask, struct topo_place place)
{
	struct topo_place to = ask->to;
	bool before = place.depth < to.depth || (place.depth == to.depth && place.rseq < to.rseq);

	return ask->backwards ? before : !before;
}

static int take(struct paging *p, const struct topo_entry *entry)
{
	struct stored_event *event = &p->page.items[p->page.len];
	int rc;

	if (is_beyond(p->ask, entry->place)) {
		p->page.end = p->ask->to;
		p->done = true;
		return 0;
	}
	rc = event_db_load(&p->reading->call, p->reading->room, entry->event, event);
	if (rc)
		return rc;
	p->page.end = p->ask->backwards ? entry->place : topo_behind(entry->place);
	p->looked++;
	if (event_filter_allows(p->ask->filter, &event->event) && reading_shows(p->reading, event))
		p->page.len++;
	p->done = p->page.len == p->ask->limit || p->looked == LOOKED_MAX;
	return 0;
}

int page_load(struct reading *reading, const struct page_ask *ask, struct page *ret_page)
{
	struct paging p = { .reading = reading, .ask = ask, .page = { .end = ask->from } };
	int rc = 0;

	p.page.items = mx_arena_alloc(reading->call.mem, ask->limit * sizeof(*p.page.items));
	p.done = ask->limit == 0 || !event_filter_allows_room(ask->filter, reading->head.id);
	p.page.more = p.done && ask->limit == 0;
	while (rc == 0 && !p.done) {
		struct topo topo = { 0 };
		size_t next = 0;

		rc = topo_db_scan(&reading->call, reading->room, p.page.end, ask->backwards, CHUNK,
				  &topo);
		while (rc == 0 && next < topo.len && !p.done)
			rc = take(&p, &topo.items[next++]);
		/* A page that is full with the room's last event is the last one. */
		p.page.more = p.done && (next < topo.len || topo.len == CHUNK);
		p.done = p.done || topo.len < CHUNK;
	}
	if (rc == 0)
		*ret_page = p.page;
	return rc;
}

int page_filter(struct req *r, struct event_filter *ret_filter)
{
	const char *text = req_query(r, "filter");

	*ret_filter = (struct event_filter){ 0 };
	if (!text)
		return 0;
	return event_filter_parse(mx_slice(text), r->mem, ret_filter, &r->err);
}

/* ---- senders */

void page_senders_add(struct page_senders *senders, const struct stored_event *event)
{
	struct reading *reading = senders->reading;
	struct stored_event member;

	if (mx_map_put(&senders->seen, event->event.sender, senders))
		return;
	if (state_reader_load(&reading->reader,
			      senders->state ? senders->state : &event->header.before, TYPE_MEMBER,
			      event->event.sender, &member) == 0)
		reading_state_event(reading, &member);
}

void page_senders_done(struct page_senders *senders)
{
	mx_map_done(&senders->seen, NULL);
}

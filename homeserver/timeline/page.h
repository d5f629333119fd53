/* Pages of a room's history: events in the order of depth that the user is shown. */
#pragma once

#include "homeserver/timeline/reading.h"
#include "shared/core/map.h"

struct event_filter;

#define PAGE_LIMIT_MAX 1000

struct page_ask {
	struct topo_place from, to; /* to: TOPO_FIRST or TOPO_LAST for none */
	bool backwards;
	size_t limit;
	const struct event_filter *filter;
};

struct page {
	struct stored_event *items;
	size_t len;
	bool more; /* there may be others beyond its end, whether or not any was shown */
	struct topo_place end;
};

int page_load(struct reading *reading, const struct page_ask *ask, struct page *ret_page);

/* Of a query's `filter`; `{ 0 }` without one. */
int page_filter(struct req *r, struct event_filter *ret_filter);

/* Appends the member events of who sent something in the page, each once. Spec: client-server API,
 * "Lazy-loading room members". */
struct page_senders {
	struct reading *reading;
	const struct room_state *state; /* what they were in it; NULL: before their event */
	struct mx_map seen;
};
void page_senders_add(struct page_senders *senders, const struct stored_event *event);
void page_senders_done(struct page_senders *senders);

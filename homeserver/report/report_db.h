/* What users reported: rooms, events, other users. */
#pragma once

#include "shared/store/page.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct store_table;

extern const struct store_table *const report_tables[];

struct report {
	const char *id;
	const char *reporter;
	const char *room_id, *event_id, *user_id; /* what it is about; "" where it is not */
	const char *reason; /* may be "" */
	bool has_score;
	int64_t score; /* of old clients: -100, most offensive, to 0 */
	int64_t received_ms;
};

struct report_page {
	struct report *items;
	size_t len;
	struct mx_slice next;
};

/* With call->txn; the id is made, its time is now. */
void report_db_add(const struct hs_call *call, const struct report *report);
/* The newest first. Strings in call->mem. */
int report_db_list(const struct hs_call *call, const struct page *page,
		   struct report_page *ret_page);
/* -MX_NOT_FOUND. */
int report_db_load(const struct hs_call *call, const char *id, struct report *ret_report);
void report_db_delete(const struct hs_call *call, const char *id);

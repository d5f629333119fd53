#include "homeserver/userdata/filters.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/userdata/filter.h"
#include "homeserver/userdata/filter_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/lru.h"
#include "shared/core/str.h"
#include "shared/store/store.h"

#include <pthread.h>

#define FILTERS_BYTES_MAX (4 * 1024 * 1024)

struct filters {
	pthread_mutex_t lock;
	struct mx_lru *cache; /* by the JSON, or by user and id; each holds a reference */
};

static void filter_drop(void *filter)
{
	filter_unref(filter);
}

struct filters *filters_new(void)
{
	struct filters *filters = mx_calloc(1, sizeof(*filters));

	pthread_mutex_init(&filters->lock, NULL);
	filters->cache = mx_lru_new(FILTERS_BYTES_MAX, 0, filter_drop);
	return filters;
}

void filters_free(struct filters *filters)
{
	if (!filters)
		return;
	mx_lru_free(filters->cache);
	pthread_mutex_destroy(&filters->lock);
	mx_free(filters);
}

static struct filter *cached(struct filters *filters, struct mx_slice key)
{
	struct filter *filter;

	pthread_mutex_lock(&filters->lock);
	filter = mx_lru_find(filters->cache, key);
	if (filter)
		filter_ref(filter);
	pthread_mutex_unlock(&filters->lock);
	return filter;
}

static void keep(struct filters *filters, struct mx_slice key, struct filter *filter)
{
	pthread_mutex_lock(&filters->lock);
	mx_lru_put(filters->cache, key, filter_ref(filter), filter->bytes + key.len);
	pthread_mutex_unlock(&filters->lock);
}

/* In call->mem, as it was stored. */
static int text_load(const struct hs_call *call, const char *user_id, const char *filter_id,
		     struct mx_slice *ret_text)
{
	struct hs_call reading = *call;
	int rc;

	reading.txn = NULL;
	reading.view = store_view_begin(call->hs->store);
	rc = filter_db_load(&reading, user_id, filter_id, ret_text);
	store_view_end(reading.view);
	return rc;
}

int filters_find(const struct hs_call *call, const char *user_id, const char *text,
		 struct filter **ret_filter, struct mx_error *err)
{
	struct filters *filters = call->hs->filters;
	struct mx_slice json = mx_slice(text ? text : "{}");
	bool is_id = json.len == 0 || json.ptr[0] != '{';
	struct mx_slice key = is_id ? mx_slice(mx_arena_strf(call->mem, "%s %s", user_id, text))
				    : json;
	struct filter *filter = cached(filters, key);
	int rc = 0;

	if (!filter && is_id)
		rc = text_load(call, user_id, text, &json);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "You have no such filter");
	if (!filter && rc == 0) {
		rc = filter_parse(json, &filter, err);
		if (rc == 0)
			keep(filters, key, filter);
	}
	if (rc == 0)
		*ret_filter = filter;
	return rc;
}

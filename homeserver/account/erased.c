#include "homeserver/account/erased.h"

#include "homeserver/account/erased_db.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/store/page.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct erased {
	pthread_rwlock_t lock; /* innermost */
	struct mx_map since; /* user → int64_t */
	atomic_size_t len; /* of it, for who has no lock */
};

static void note(struct erased *erased, struct mx_slice user, int64_t since_ms)
{
	pthread_rwlock_wrlock(&erased->lock);
	mx_free(mx_map_put(&erased->since, user, mx_memdup(&since_ms, sizeof(since_ms))));
	atomic_store(&erased->len, erased->since.len);
	pthread_rwlock_unlock(&erased->lock);
}

/* On the committer's thread: before the answer, everybody is shown what is left. */
static void changed(void *ctx, struct mx_slice key, struct mx_slice value)
{
	mx_str_auto user = { 0 };
	int64_t since_ms;

	if (value.ptr && erased_db_read(key, value, &user, &since_ms))
		note(ctx, mx_str_slice(&user), since_ms);
}

static int read_page(const struct hs_call *call, struct page *page)
{
	mx_str_auto user = { 0 };
	struct store_rows rows;
	int64_t since_ms;
	int rc = erased_db_list(call, page, &rows);

	if (rc)
		return rc;
	for (size_t i = 0; i < rows.len; i++) {
		if (!erased_db_read(rows.items[i].key, rows.items[i].value, &user, &since_ms))
			return -MX_STORE;
		note(call->hs->erased, mx_str_slice(&user), since_ms);
	}
	page->after = page_next(page, &rows);
	return 0;
}

static int read_all(struct hs *hs)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call call = { .hs = hs, .view = store_view_begin(hs->store), .mem = mem };
	struct page page = { .limit = PAGE_MAX };
	int rc;

	do
		rc = read_page(&call, &page);
	while (rc == 0 && page.after.len > 0);
	store_view_end(call.view);
	return rc;
}

int erased_open(struct hs *hs, struct mx_error *err)
{
	struct erased *erased = mx_calloc(1, sizeof(*erased));
	int rc;

	pthread_rwlock_init(&erased->lock, NULL);
	hs->erased = erased;
	store_watch(hs->store, &erased_table, changed, erased);
	rc = read_all(hs);
	return rc ? mx_fail(err, MX_STORE, "Who was erased cannot be read") : 0;
}

void erased_close(struct hs *hs)
{
	struct erased *erased = hs->erased;

	if (!erased)
		return;
	store_watch(hs->store, &erased_table, NULL, NULL);
	mx_map_done(&erased->since, mx_free);
	pthread_rwlock_destroy(&erased->lock);
	mx_free(erased);
	hs->erased = NULL;
}

int erased_add(const struct hs_call *call, const char *user)
{
	int64_t since_ms;
	int rc = erased_db_load(call, user, &since_ms);

	if (rc == -MX_NOT_FOUND) {
		erased_db_put(call, user, call->now_ms);
		return 0;
	}
	return rc;
}

int64_t erased_since(const struct hs *hs, struct mx_slice user)
{
	struct erased *erased = hs->erased;
	const int64_t *since_ms;
	int64_t since;

	if (!erased || atomic_load(&erased->len) == 0)
		return 0;
	pthread_rwlock_rdlock(&erased->lock);
	since_ms = mx_map_find(&erased->since, user);
	since = since_ms ? *since_ms : 0;
	pthread_rwlock_unlock(&erased->lock);
	return since;
}

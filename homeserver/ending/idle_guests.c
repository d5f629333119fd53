#include "homeserver/ending/idle_guests.h"

#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/call.h"
#include "homeserver/ending/ending.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/store/page.h"
#include "shared/store/store.h"

/* About that many at a time. */
#define ONCE 10000

static bool is_idle(const struct hs_call *call, const struct account *account, int64_t since_ms)
{
	struct device_list devices;

	if (!(account->flags & ACCOUNT_GUEST) || account->flags & ACCOUNT_DEACTIVATED ||
	    account->created_ms >= since_ms || device_list(call, account->user, &devices))
		return false;
	for (size_t i = 0; i < devices.len; i++)
		if (devices.items[i].seen_ms >= since_ms)
			return false;
	return true;
}

/* ---- looking: a page of accounts at a time, in memory of its own */

struct looking {
	const struct hs_call *call; /* its memory holds what is found */
	int64_t since_ms;
	struct page page;
	struct mx_vec(const char *) found;
};

static int look(struct looking *looking, struct hs_call *reading)
{
	struct account_list list;
	int rc = account_list(reading, &looking->page, &list);

	if (rc)
		return rc;
	for (size_t i = 0; i < list.len; i++) {
		const char *user = list.items[i].user;

		if (is_idle(reading, &list.items[i], looking->since_ms))
			mx_vec_push(&looking->found, mx_arena_strdup(looking->call->mem, user));
	}
	looking->page.after = mx_arena_slice(looking->call->mem, list.next);
	return 0;
}

static int look_at_page(struct looking *looking)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call reading = *looking->call;
	int rc;

	reading.mem = mem;
	reading.view = store_view_begin(reading.hs->store);
	rc = look(looking, &reading);
	store_view_end(reading.view);
	return rc;
}

/* ---- ending */

static int begin(const struct hs_call *call, void *user, struct mx_error *err)
{
	const struct ending ending = { .user = user };

	return ending_begin(call, &ending, err);
}

static bool end(const struct hs_call *call, const char *name)
{
	char *user = mx_arena_strdup(call->mem, name);
	bool unbound;

	return call_change(call, begin, user, NULL) == 0 &&
	       ending_finish(call, user, &unbound, NULL) == 0;
}

size_t idle_guests_end(void *ctx, int64_t now_ms)
{
	struct hs *hs = ctx;
	mx_arena_auto *mem = mx_arena_new(0);
	const struct hs_call call = { .hs = hs, .mem = mem, .now_ms = now_ms };
	int64_t idle_ms = conf_of(hs)->registration.guest_days * MX_DAY_MS;
	struct looking looking = { .call = &call,
				   .since_ms = now_ms - idle_ms,
				   .page = { .limit = PAGE_MAX } };
	size_t ended = 0;
	int rc = 0;

	while (idle_ms && rc == 0 && looking.found.len < ONCE) {
		rc = look_at_page(&looking);
		if (looking.page.after.len == 0)
			break;
	}
	for (size_t i = 0; i < looking.found.len; i++)
		ended += end(&call, looking.found.items[i]);
	mx_vec_done(&looking.found);
	return ended;
}

#include "homeserver/ending/ending.h"

#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/erased.h"
#include "homeserver/account/threepid_server.h"
#include "homeserver/account/threepids.h"
#include "homeserver/call.h"
#include "homeserver/ending/ending_db.h"
#include "homeserver/hs.h"
#include "homeserver/member/member.h"
#include "homeserver/profile/profile.h"
#include "homeserver/userdata/account_data.h"
#include "homeserver/userdata/filter_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#define ONCE 100
/* Whoever began it is still about it. */
#define PATIENCE_MS (10 * MX_MINUTE_MS)
/* What cannot be done until then never can. */
#define ATTEMPTS_MS MX_DAY_MS

/* ---- in one transaction */

static bool has_binding(const struct threepid_bindings *bindings,
			const struct threepid_binding *binding)
{
	for (size_t i = 0; i < bindings->len; i++)
		if (threepid_same(&bindings->items[i].threepid, &binding->threepid) &&
		    streq(bindings->items[i].id_server, binding->id_server))
			return true;
	return false;
}

/* What was bound through us, and all addresses at the server that the user names. */
static int collect_bindings(const struct hs_call *call, const struct ending *ending,
			    struct threepid_bindings *ret_bindings)
{
	struct threepid_bindings known, all = { 0 };
	struct account_threepids own = { 0 };
	int rc = threepids_bindings(call, ending->user, &known);

	if (rc == 0 && ending->id_server)
		rc = threepids_list(call, ending->user, &own);
	if (rc)
		return rc;
	all.items = mx_arena_calloc(call->mem, known.len + own.len + 1, sizeof(*all.items));
	for (size_t i = 0; i < known.len; i++)
		all.items[all.len++] = known.items[i];
	for (size_t i = 0; i < own.len; i++) {
		const struct threepid_binding named = { own.items[i].threepid, ending->id_server };

		if (!has_binding(&all, &named))
			all.items[all.len++] = named;
	}
	*ret_bindings = all;
	return 0;
}

static int take_all(const struct hs_call *call, const struct ending *ending)
{
	unsigned flags = ACCOUNT_DEACTIVATED | (ending->erase ? ACCOUNT_ERASED : 0);
	int rc = account_set_flags(call, ending->user, flags, 0);

	if (rc == 0)
		rc = account_set_password(call, ending->user, NULL);
	if (rc == 0)
		rc = device_delete_all(call, ending->user, NULL);
	if (rc == 0)
		rc = threepids_forget(call, ending->user);
	if (rc == 0)
		rc = profile_erase(call, ending->user);
	return rc;
}

/* What is no event goes at once, and of the events what is shown from now on. */
static int forget(const struct hs_call *call, const char *user)
{
	int rc = account_data_erase(call, user);

	if (rc == 0)
		rc = filter_db_erase(call, user);
	return rc ? rc : erased_add(call, user);
}

int ending_begin(const struct hs_call *call, const struct ending *ending, struct mx_error *err)
{
	struct ending_row before, row = { .begun_ms = call->now_ms };
	int rc = collect_bindings(call, ending, &row.bindings);

	if (rc == 0)
		rc = take_all(call, ending);
	if (rc == 0 && ending->erase)
		rc = forget(call, ending->user);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no such account");
	if (rc)
		return rc;
	/* One that is not finished knows what the account does not any more. */
	rc = ending_db_get(call, ending->user, &before);
	if (rc == -MX_NOT_FOUND)
		ending_db_put(call, ending->user, &row);
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

/* ---- after it */

static int load(const struct hs_call *call, const char *user, struct ending_row *ret_row)
{
	struct hs_call reading = *call;
	int rc;

	reading.view = store_view_begin(call->hs->store);
	rc = ending_db_get(&reading, user, ret_row);
	store_view_end(reading.view);
	return rc;
}

static int note_finished(const struct hs_call *call, void *user, struct mx_error *err)
{
	(void)err;
	ending_db_delete(call, user);
	return 0;
}

int ending_finish(const struct hs_call *call, const char *user, bool *ret_unbound,
		  struct mx_error *err)
{
	char *name = mx_arena_strdup(call->mem, user);
	struct ending_row row;
	bool left;
	int rc = load(call, user, &row);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	/* First what others see, and what waits for no network. */
	left = member_leave_all(call->hs, user);
	*ret_unbound = threepid_server_unbind_all(call, user, &row.bindings);
	if (!left && call->now_ms < row.begun_ms + ATTEMPTS_MS)
		return 0; /* the chore tries again */
	return call_change(call, note_finished, name, err);
}

/* ---- what nobody finished */

static int list(const struct hs_call *call, struct ending_users *ret_users)
{
	struct hs_call reading = *call;
	int rc;

	reading.view = store_view_begin(call->hs->store);
	rc = ending_db_list(&reading, ONCE, ret_users);
	store_view_end(reading.view);
	return rc;
}

/* What was begun before this start, or long ago. */
static bool is_left_over(const struct hs_call *call, const char *user)
{
	struct ending_row row;

	return load(call, user, &row) == 0 &&
	       (row.begun_ms < call->hs->started_ms || row.begun_ms + PATIENCE_MS < call->now_ms);
}

size_t endings_finish(void *ctx, int64_t now_ms)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct hs_call call = { .hs = ctx, .mem = mem, .now_ms = now_ms };
	struct ending_users users;
	size_t finished = 0;
	bool unbound;

	if (list(&call, &users))
		return 0;
	for (size_t i = 0; i < users.len; i++)
		if (is_left_over(&call, users.items[i]) &&
		    ending_finish(&call, users.items[i], &unbound, NULL) == 0)
			finished++;
	return finished;
}

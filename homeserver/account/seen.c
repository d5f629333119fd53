#include "homeserver/account/seen.h"

#include "homeserver/account/device.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/arena.h"
#include "shared/core/time.h"
#include "shared/core/utf8.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#define EVERY_MS       (3 * MX_MINUTE_MS)
#define USER_AGENT_MAX 256 /* bytes */

bool seen_is_due(int64_t seen_ms)
{
	return seen_ms == 0 || mx_mono_ms() - seen_ms >= EVERY_MS;
}

/* What can be shown: UTF-8, cut between characters. */
static const char *user_agent(struct req *r)
{
	const char *header = req_header(r, "User-Agent");
	struct mx_slice rest = mx_slice(header);
	size_t len = 0, step;

	while (rest.len > 0 && (step = mx_utf8_step(rest)) > 0 && len + step <= USER_AGENT_MAX) {
		rest = mx_slice_of(rest.ptr + step, rest.len - step);
		len += step;
	}
	return len > 0 ? mx_arena_strndup(r->mem, header, len) : NULL;
}

static void done(void *ctx, int rc)
{
	(void)ctx;
	(void)rc;
}

void seen_note(struct hs *hs, struct req *r)
{
	const struct hs_call call = {
		.hs = hs,
		.txn = store_txn_begin(hs->store),
		.mem = r->mem,
		.now_ms = mx_now_ms(),
	};
	struct device device;

	if (device_load(&call, r->user, r->device, &device)) {
		store_txn_abort(call.txn);
		return;
	}
	device.seen_ms = call.now_ms;
	device.ip = r->client;
	device.user_agent = user_agent(r);
	device_put(&call, &device);
	store_txn_commit_async(call.txn, done, NULL);
}

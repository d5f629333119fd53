#include "homeserver/media/media.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media_file.h"
#include "homeserver/media/media_type.h"
#include "homeserver/media/media_wait.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/spool.h"
#include "shared/id/server_name.h"
#include "shared/store/store.h"

#define MEDIA_ID_LEN 24
#define ATTEMPTS_MAX 64 /* each one that is lost is somebody else's success */
#define VOID_MAX     10000 /* ids that one round removes */
#define MEBIBYTE     (UINT64_C(1024) * 1024)

struct media {
	struct media_files *files;
	struct media_waits *waits;
};

/* ---- life */

int media_new(struct hs *hs, struct media **ret_media, struct mx_error *err)
{
	struct media *media = mx_calloc(1, sizeof(*media));
	int rc = media_files_new(hs->conf->daemon.data_directory, hs->store, &media->files, err);

	media->waits = media_waits_new();
	if (rc) {
		media_free(media);
		return rc;
	}
	*ret_media = media;
	return 0;
}

void media_free(struct media *media)
{
	if (!media)
		return;
	media_files_free(media->files);
	media_waits_free(media->waits);
	mx_free(media);
}

struct media_files *media_files_of(struct media *media)
{
	return media->files;
}

struct media_wait *media_wait_begin(struct media *media, const char *id, struct req_wake *wake)
{
	return media_waits_add(media->waits, id, wake);
}

/* ---- transactions of our own: what is done beside them must not be done while one is open */

struct attempt {
	struct hs_call call;
	const struct media_upload *upload;
	struct media_item item;
	struct mx_error *err;
	bool is_quarantined;
};

static int run_attempts(const struct hs_call *call, struct attempt *attempt,
			int (*step)(struct attempt *attempt))
{
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; rc == -MX_CONFLICT && i < ATTEMPTS_MAX; i++) {
		struct store_txn *txn = store_txn_begin(call->hs->store);

		attempt->call = *call;
		attempt->call.view = NULL;
		attempt->call.txn = txn;
		rc = step(attempt);
		if (rc == 0)
			rc = store_txn_commit(txn, attempt->err);
		else
			store_txn_abort(txn);
	}
	return rc == -MX_CONFLICT ? -MX_BUSY : rc;
}

/* ---- quotas and files */

static int check_quota(const struct attempt *attempt, const struct media_usage *usage)
{
	const struct hs_conf *conf = conf_of(attempt->call.hs);

	if (conf->media.user_max_files && usage->files > conf->media.user_max_files)
		return mx_fail(attempt->err, MX_FORBIDDEN,
			       "You have as many files here as you may");
	if (conf->media.user_max_mb && usage->bytes > conf->media.user_max_mb * MEBIBYTE)
		return mx_fail(attempt->err, MX_FORBIDDEN,
			       "Your files take the room that you have");
	return 0;
}

static int add_usage(struct attempt *attempt)
{
	const struct media_item *item = &attempt->item;
	struct media_usage usage;
	int rc = media_db_load_usage(&attempt->call, item->user, &usage);

	if (rc)
		return rc;
	usage.files++;
	usage.bytes += item->size;
	rc = check_quota(attempt, &usage);
	if (rc == 0)
		media_db_put_usage(&attempt->call, item->user, &usage);
	return rc;
}

static int add_blob(struct attempt *attempt)
{
	struct media_blob blob = { .size = attempt->item.size };
	int rc = media_db_load_blob(&attempt->call, attempt->item.sha256, &blob);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	blob.refs++;
	media_db_put_blob(&attempt->call, attempt->item.sha256, &blob);
	return 0;
}

static int drop_usage(struct attempt *attempt)
{
	const struct media_item *item = &attempt->item;
	struct media_usage usage;
	int rc = media_db_load_usage(&attempt->call, item->user, &usage);

	if (rc)
		return rc;
	usage.files -= usage.files > 0;
	usage.bytes -= usage.bytes < item->size ? usage.bytes : item->size;
	media_db_put_usage(&attempt->call, item->user, &usage);
	return 0;
}

/* What is in quarantine stays so: the same bytes may come again. */
static int drop_blob(struct attempt *attempt)
{
	const uint8_t *sha256 = attempt->item.sha256;
	struct media_blob blob;
	int rc = media_db_load_blob(&attempt->call, sha256, &blob);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	blob.refs -= blob.refs > 0;
	if (blob.refs == 0 && !blob.is_quarantined)
		media_db_delete_blob(&attempt->call, sha256);
	else
		media_db_put_blob(&attempt->call, sha256, &blob);
	return 0;
}

/* ---- in */

static int take_reserved(struct attempt *attempt, struct media_item *ret_item)
{
	const struct media_upload *upload = attempt->upload;
	struct media_item item;
	int rc = media_db_load(&attempt->call, conf_of(attempt->call.hs)->server_name, upload->id,
			       &item);

	if (rc == 0 && !streq(item.user, upload->user))
		return mx_fail(attempt->err, MX_FORBIDDEN, "Somebody else made this id");
	if (rc == 0 && item.has_content)
		return -MX_MEDIA_THERE;
	if (rc == 0 && item.expires_ms <= attempt->call.now_ms)
		rc = -MX_NOT_FOUND;
	if (rc)
		return rc;
	media_db_delete_pending(&attempt->call, &item);
	*ret_item = item;
	return 0;
}

static int add_item(struct attempt *attempt)
{
	struct media_item *item = &attempt->item, reserved;
	int rc = 0;

	if (attempt->upload->id) {
		rc = take_reserved(attempt, &reserved);
		if (rc)
			return rc;
		item->created_ms = reserved.created_ms;
	}
	rc = add_usage(attempt);
	if (rc == 0)
		rc = add_blob(attempt);
	if (rc == 0)
		media_db_put(&attempt->call, item);
	return rc;
}

/* Before bytes are made durable for nothing. */
static int check_reserved(struct attempt *attempt)
{
	struct media_item reserved;

	return attempt->upload->id ? take_reserved(attempt, &reserved) : 0;
}

static int check_first(const struct hs_call *call, struct attempt *attempt)
{
	struct media_usage usage = { 0 };
	int rc;

	attempt->call = *call;
	attempt->call.view = NULL;
	attempt->call.txn = store_txn_begin(call->hs->store);
	rc = check_reserved(attempt);
	if (rc == 0)
		rc = media_db_load_usage(&attempt->call, attempt->item.user, &usage);
	usage.files++;
	usage.bytes += attempt->item.size;
	if (rc == 0)
		rc = check_quota(attempt, &usage);
	store_txn_abort(attempt->call.txn);
	return rc;
}

static const char *new_id(const struct hs_call *call)
{
	char *id = mx_arena_alloc(call->mem, MEDIA_ID_LEN + 1);

	mx_random_token(id, MEDIA_ID_LEN);
	return id;
}

static struct media_item item_of(const struct hs_call *call, const struct media_upload *upload)
{
	return (struct media_item){
		.origin = conf_of(call->hs)->server_name,
		.id = upload->id ? upload->id : new_id(call),
		.user = upload->user,
		.type = media_type_clean(upload->type, call->mem),
		.name = media_name_clean(upload->name, call->mem),
		.created_ms = call->now_ms,
		.has_content = true,
		.size = spool_len(upload->spool),
	};
}

int media_upload(const struct hs_call *call, const struct media_upload *upload, const char **ret_id,
		 struct mx_error *err)
{
	struct media *media = call->hs->media;
	struct attempt attempt = { .upload = upload, .item = item_of(call, upload), .err = err };
	const uint8_t *sha256 = attempt.item.sha256;
	int rc = check_first(call, &attempt);

	if (rc)
		return rc;
	if (!mx_sha256_file(spool_fd(upload->spool), attempt.item.sha256))
		return mx_fail(err, MX_STORE, "The upload cannot be read");
	rc = media_file_keep(media->files, upload->spool, sha256, err);
	if (rc == 0)
		rc = run_attempts(call, &attempt, add_item);
	media_file_settle(media->files, sha256);
	if (rc) {
		media_file_drop(media->files, sha256);
		return rc;
	}
	media_waits_wake(media->waits, attempt.item.id);
	*ret_id = attempt.item.id;
	return 0;
}

static int reserve(struct attempt *attempt)
{
	const struct hs_call *call = &attempt->call;
	unsigned max = conf_of(call->hs)->media.pending_max;
	size_t count;
	int rc = media_db_count_pending(call, attempt->item.user, max, &count);

	if (rc)
		return rc;
	if (count >= max)
		return mx_fail(attempt->err, MX_LIMIT_EXCEEDED,
			       "You have %u ids that wait for their content", max);
	media_db_put(call, &attempt->item);
	media_db_put_pending(call, &attempt->item);
	return 0;
}

int media_reserve(const struct hs_call *call, const char *user, struct media_item *ret_item,
		  struct mx_error *err)
{
	const struct hs_conf *conf = conf_of(call->hs);
	struct attempt attempt = {
		.err = err,
		.item = {
			.origin = conf->server_name,
			.id = new_id(call),
			.user = user,
			.type = "",
			.name = "",
			.created_ms = call->now_ms,
			.expires_ms = call->now_ms + conf->media.pending_hours * MX_HOUR_MS,
		},
	};
	int rc = run_attempts(call, &attempt, reserve);

	if (rc == 0)
		*ret_item = attempt.item;
	return rc;
}

/* ---- the operator's */

static int delete_item(struct attempt *attempt)
{
	struct media_item *item = &attempt->item;
	int rc = media_db_load(&attempt->call, item->origin, item->id, item);

	if (rc)
		return rc;
	media_db_delete(&attempt->call, item);
	if (!item->has_content) {
		media_db_delete_pending(&attempt->call, item);
		return 0;
	}
	rc = drop_usage(attempt);
	return rc ? rc : drop_blob(attempt);
}

int media_delete(const struct hs_call *call, const char *origin, const char *id,
		 struct mx_error *err)
{
	struct attempt attempt = { .err = err, .item = { .origin = origin, .id = id } };
	int rc = run_attempts(call, &attempt, delete_item);

	if (rc == 0 && attempt.item.has_content)
		media_file_drop(call->hs->media->files, attempt.item.sha256);
	return rc;
}

static int mark_blob(struct attempt *attempt)
{
	struct media_item item;
	struct media_blob blob;
	int rc = media_db_load(&attempt->call, attempt->item.origin, attempt->item.id, &item);

	if (rc == 0 && !item.has_content)
		rc = -MX_NOT_FOUND;
	if (rc == 0)
		rc = media_db_load_blob(&attempt->call, item.sha256, &blob);
	if (rc)
		return rc;
	blob.is_quarantined = attempt->is_quarantined;
	media_db_put_blob(&attempt->call, item.sha256, &blob);
	return 0;
}

int media_quarantine(const struct hs_call *call, const char *origin, const char *id,
		     bool is_quarantined, struct mx_error *err)
{
	struct attempt attempt = { .err = err,
				   .item = { .origin = origin, .id = id },
				   .is_quarantined = is_quarantined };

	return run_attempts(call, &attempt, mark_blob);
}

/* ---- out */

int media_find(const struct hs_call *call, const char *origin, const char *id,
	       struct media_item *ret_item, struct mx_error *err)
{
	struct media_item item;
	struct media_blob blob;
	int rc = mx_server_name_valid(mx_slice(origin)) ? media_db_load(call, origin, id, &item)
							: -MX_NOT_FOUND;

	if (rc == 0 && !item.has_content)
		rc = item.expires_ms > call->now_ms ? -MX_NOT_YET_UPLOADED : -MX_NOT_FOUND;
	if (rc == 0)
		rc = media_db_load_blob(call, item.sha256, &blob);
	if (rc == 0 && blob.is_quarantined)
		rc = -MX_NOT_FOUND;
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no such media here");
	if (rc == 0)
		*ret_item = item;
	return rc;
}

/* ---- now and then */

static int drop_void(struct attempt *attempt)
{
	size_t dropped;
	int rc = media_db_drop_void(&attempt->call, VOID_MAX, &dropped);

	attempt->item.size = dropped;
	return rc;
}

size_t media_drop_void(void *ctx, int64_t now_ms)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct hs_call call = { .hs = ctx, .mem = mem, .now_ms = now_ms };
	struct attempt attempt = { 0 };

	return run_attempts(&call, &attempt, drop_void) ? 0 : attempt.item.size;
}

size_t media_sweep(void *ctx, int64_t now_ms)
{
	struct hs *hs = ctx;

	(void)now_ms;
	return media_files_sweep(hs->media->files);
}

/* Spec: client-server API, "Content repository": downloading. */
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media.h"
#include "homeserver/media/media_file.h"
#include "homeserver/media/media_range.h"
#include "homeserver/media/media_type.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#include <jansson.h>
#include <unistd.h>

#define WAIT_MS          (20 * MX_SECOND_MS) /* of who does not say */
#define WAIT_MAX_MS      (60 * MX_SECOND_MS)
#define PICTURE_SIDE_MAX 10000
#define MEBIBYTE         (INT64_C(1024) * 1024)

/* Spec: what content is served with, so that no page of the homeserver's name runs in a browser. */
#define POLICY                                                                           \
	"sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; " \
	"style-src 'unsafe-inline'; object-src 'self';"

/* ---- finding */

static int find_now(struct req *r, struct media_item *ret_item)
{
	struct hs_call call = call_of(r);
	struct store_view *view = store_view_begin(call.hs->store);
	int rc;

	call.view = view;
	rc = media_find(&call, req_param(r, "serverName"), req_param(r, "mediaId"), ret_item,
			&r->err);
	store_view_end(view);
	return rc;
}

static int wait_ms_of(struct req *r, int64_t *ret_ms)
{
	int rc = req_query_i64(r, "timeout_ms", WAIT_MS, ret_ms);

	if (*ret_ms < 0)
		*ret_ms = 0;
	if (*ret_ms > WAIT_MAX_MS)
		*ret_ms = WAIT_MAX_MS;
	return rc;
}

static void wait_again(struct req *r, int64_t timeout_ms)
{
	struct hs *hs = r->app;
	struct req_wake *wake = req_wake_new(r, timeout_ms);

	media_wait_end(r->kept);
	r->kept = media_wait_begin(hs->media, req_param(r, "mediaId"), wake);
	r->kept_free = media_wait_end;
	req_wake_unref(wake);
}

/* Waits for content that is to come, as long as who asks wants to. */
static int find(struct req *r, struct media_item *ret_item)
{
	int64_t timeout_ms;
	int rc = wait_ms_of(r, &timeout_ms);

	if (rc == 0)
		rc = find_now(r, ret_item);
	if (rc != -MX_NOT_YET_UPLOADED || r->timed_out || timeout_ms == 0)
		return rc;
	wait_again(r, timeout_ms);
	rc = find_now(r, ret_item); /* it may have come meanwhile */
	return rc == -MX_NOT_YET_UPLOADED ? -MX_PARK : rc;
}

/* ---- answering */

static const char *etag_of(struct req *r, const struct media_item *item)
{
	char hex[2 * 16 + 1];

	for (size_t i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", item->sha256[i]);
	return mx_arena_strf(r->mem, "\"%s\"", hex);
}

static void add_headers(struct req *r, const struct media_item *item, const char *etag)
{
	reply_header(r, "Content-Disposition", media_disposition(item->type, item->name, r->mem));
	reply_header(r, "Content-Security-Policy", POLICY);
	reply_header(r, "Cross-Origin-Resource-Policy", "cross-origin");
	reply_header(r, "Cache-Control", "private, max-age=31536000, immutable");
	reply_header(r, "Accept-Ranges", "bytes");
	reply_header(r, "ETag", etag);
}

/* RFC 9110, 13.1.5: a part of other bytes would not fit. */
static const char *range_header(struct req *r, const char *etag)
{
	const char *unless = req_header(r, "If-Range");

	return unless && !streq(unless, etag) ? NULL : req_header(r, "Range");
}

static int choose_part(struct req *r, const struct media_item *item, const char *etag,
		       struct reply_file *file)
{
	file->from = 0;
	file->len = item->size;
	switch (media_range_parse(range_header(r, etag), item->size, &file->from, &file->len)) {
	case RANGE_WHOLE: return 0;
	case RANGE_WRONG: r->err_size = item->size; return -MX_BAD_RANGE;
	case RANGE_PART: break;
	}
	reply_status(r, 206);
	reply_header(r, "Content-Range",
		     mx_arena_strf(r->mem, "bytes %llu-%llu/%llu", (unsigned long long)file->from,
				   (unsigned long long)(file->from + file->len - 1),
				   (unsigned long long)item->size));
	return 0;
}

/* RFC 9110, 13.2.2: this is looked at before a range is. */
static bool client_has(struct req *r, const char *etag)
{
	const char *known = req_header(r, "If-None-Match");

	return known && (streq(known, "*") || strstr(known, etag));
}

static int send_item(struct req *r, const struct media_item *item)
{
	struct hs *hs = r->app;
	const char *etag = etag_of(r, item);
	struct reply_file file;
	int rc;

	if (client_has(r, etag)) {
		add_headers(r, item, etag);
		reply_bytes(r, item->type, MX_SLICE(""));
		reply_status(r, 304);
		return 0;
	}
	rc = choose_part(r, item, etag, &file);
	if (rc == 0)
		rc = media_file_open(media_files_of(hs->media), item->sha256, &file.fd, &r->err);
	if (rc)
		return rc;
	add_headers(r, item, etag);
	reply_file(r, item->type, &file);
	return 0;
}

static int get_media(struct req *r)
{
	struct media_item item;
	int rc = find(r, &item);

	return rc ? rc : send_item(r, &item);
}

/* Under another name than its own. */
static int get_named_media(struct req *r)
{
	struct media_item item;
	int rc = find(r, &item);

	item.name = rc ? "" : media_name_clean(req_param(r, "fileName"), r->mem);
	return rc ? rc : send_item(r, &item);
}

/* Spec: "Servers SHOULD freeze" what needs no token: what came later is not there. */
static int find_frozen(struct req *r, struct media_item *ret_item)
{
	int rc = find_now(r, ret_item);

	if (rc == -MX_NOT_YET_UPLOADED ||
	    (rc == 0 && ret_item->created_ms >= conf_of(r->app)->media.frozen_ms))
		return mx_fail(&r->err, MX_NOT_FOUND,
			       "That needs a token: it is at /_matrix/client/v1/media");
	return rc;
}

static int get_frozen(struct req *r)
{
	struct media_item item;
	int rc = find_frozen(r, &item);

	return rc ? rc : send_item(r, &item);
}

static int get_named_frozen(struct req *r)
{
	struct media_item item;
	int rc = find_frozen(r, &item);

	item.name = rc ? "" : media_name_clean(req_param(r, "fileName"), r->mem);
	return rc ? rc : send_item(r, &item);
}

/* ---- smaller pictures */

static int check_side(struct req *r, const char *name)
{
	int64_t side;
	int rc = req_query(r, name) ? req_query_i64(r, name, 0, &side) : -MX_MISSING_PARAM;

	if (rc == -MX_MISSING_PARAM)
		return mx_fail(&r->err, MX_MISSING_PARAM, "%s is missing", name);
	if (rc == 0 && (side < 1 || side > PICTURE_SIDE_MAX))
		return mx_fail(&r->err, MX_INVALID_PARAM, "%s must be 1 to %d", name,
			       PICTURE_SIDE_MAX);
	return rc;
}

static int check_size(struct req *r)
{
	const char *method = req_query(r, "method");
	int rc = check_side(r, "width");

	if (rc == 0)
		rc = check_side(r, "height");
	if (rc == 0 && method && !streq(method, "crop") && !streq(method, "scale"))
		rc = mx_fail(&r->err, MX_INVALID_PARAM, "method must be crop or scale");
	return rc;
}

/* Spec: "The actual thumbnail may be larger than the size specified": pictures are their own. */
static int send_picture(struct req *r, int (*finding)(struct req *r, struct media_item *ret_item))
{
	struct media_item item;
	int rc = check_size(r);

	if (rc == 0)
		rc = finding(r, &item);
	if (rc == 0 && !media_type_is_picture(item.type))
		rc = -MX_NO_THUMBNAIL;
	return rc ? rc : send_item(r, &item);
}

static int get_thumbnail(struct req *r)
{
	return send_picture(r, find);
}

static int get_frozen_thumbnail(struct req *r)
{
	return send_picture(r, find_frozen);
}

/* ---- limits */

static int get_config(struct req *r)
{
	reply_json(r, json_pack("{s:I}", "m.upload.size",
				(json_int_t)(conf_of(r->app)->media.max_upload_mb * MEBIBYTE)));
	return 0;
}

#define ITEM    "/{serverName}/{mediaId}"
#define FROZEN  "/_matrix/media/v3"
#define READERS (ROUTE_CORS | ROUTE_GUESTS | ROUTE_SUSPENDED)

const struct route media_download_routes[] = {
	{ GET, CLIENT_V1 "/media/config", get_config, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .flags = READERS, .reply = "client/media_config.reply" },
	{ GET, CLIENT_V1 "/media/download" ITEM, get_media, .auth = AUTH_USER_OR_GUEST,
	  .limit = LIMIT_READ, .flags = READERS, .reply = "client/media.reply",
	  .deadline_ms = 2 * WAIT_MAX_MS },
	{ GET, CLIENT_V1 "/media/download" ITEM "/{fileName}", get_named_media,
	  .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ, .flags = READERS,
	  .reply = "client/media.reply", .deadline_ms = 2 * WAIT_MAX_MS },
	{ GET, CLIENT_V1 "/media/thumbnail" ITEM, get_thumbnail, .auth = AUTH_USER_OR_GUEST,
	  .limit = LIMIT_READ, .flags = READERS, .reply = "client/media.reply",
	  .deadline_ms = 2 * WAIT_MAX_MS },
	/* The old paths, which need no token. */
	{ GET, FROZEN "/config", get_config, .auth = AUTH_USER, .limit = LIMIT_READ,
	  .flags = READERS, .reply = "client/media_config.reply" },
	{ GET, FROZEN "/download" ITEM, get_frozen, .limit = LIMIT_READ, .flags = ROUTE_CORS,
	  .reply = "client/media.reply" },
	{ GET, FROZEN "/download" ITEM "/{fileName}", get_named_frozen, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS, .reply = "client/media.reply" },
	{ GET, FROZEN "/thumbnail" ITEM, get_frozen_thumbnail, .limit = LIMIT_READ,
	  .flags = ROUTE_CORS, .reply = "client/media.reply" },
	{ 0 },
};

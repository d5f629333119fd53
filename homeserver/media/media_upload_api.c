/* Spec: client-server API, "Content repository": uploading. */
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

#include <jansson.h>

static json_t *mxc_new(const char *origin, const char *id)
{
	return json_sprintf("mxc://%s/%s", origin, id);
}

static struct media_upload upload_of(struct req *r)
{
	return (struct media_upload){
		.user = r->user,
		.type = req_header(r, "Content-Type"),
		.name = req_query(r, "filename"),
		.spool = r->spool,
	};
}

static int post_upload(struct req *r)
{
	const struct hs_call call = call_of(r);
	const struct media_upload upload = upload_of(r);
	const char *id;
	int rc = media_upload(&call, &upload, &id, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:o}", "content_uri",
					mxc_new(conf_of(call.hs)->server_name, id)));
	return rc;
}

static int put_upload(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct media_upload upload = upload_of(r);
	const char *id;

	if (!streq(req_param(r, "serverName"), conf_of(call.hs)->server_name))
		return mx_fail(&r->err, MX_NOT_FOUND, "That id is another server's");
	upload.id = req_param(r, "mediaId");
	return media_upload(&call, &upload, &id, &r->err);
}

static int post_create(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct media_item item;
	int rc = media_reserve(&call, r->user, &item, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:o, s:I}", "content_uri", mxc_new(item.origin, item.id),
					"unused_expires_at", (json_int_t)item.expires_ms));
	return rc;
}

#define MEDIA "/_matrix/media"

const struct route media_upload_routes[] = {
	{ POST, MEDIA "/v3/upload", post_upload, .auth = AUTH_USER, .limit = LIMIT_MEDIA,
	  .flags = ROUTE_CORS | ROUTE_RAW_BODY | ROUTE_SPOOL,
	  .reply = "client/media_upload.reply" },
	{ POST, MEDIA "/v1/create", post_create, .auth = AUTH_USER, .limit = LIMIT_MEDIA,
	  .flags = ROUTE_CORS | ROUTE_RAW_BODY, .reply = "client/media_create.reply" },
	{ PUT, MEDIA "/v3/upload/{serverName}/{mediaId}", put_upload, .auth = AUTH_USER,
	  .limit = LIMIT_MEDIA, .flags = ROUTE_CORS | ROUTE_RAW_BODY | ROUTE_SPOOL,
	  .reply = "client/empty.reply" },
	{ 0 },
};

/* Media for the operator; packaging/man/trinity-homeserver.8 describes the commands. */
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/media/media.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/daemon/admin_page.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#include <jansson.h>

#define LIST_MAX 100

static json_t *item_json(const struct media_item *item)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:b}", "server", item->origin, "media_id",
				 item->id, "user", item->user, "created_ms",
				 (json_int_t)item->created_ms, "has_content", item->has_content);

	if (!item->has_content)
		json_object_set_new(json, "expires_ms", json_integer(item->expires_ms));
	else
		json_object_update_new(json, json_pack("{s:I, s:s, s:s}", "size",
						       (json_int_t)item->size, "content_type",
						       item->type, "filename", item->name));
	return json;
}

static int get_media(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct media_item item;
	struct media_blob blob = { 0 };
	json_t *json;
	int rc = media_db_load(&call, req_param(r, "serverName"), req_param(r, "mediaId"), &item);

	if (rc)
		return rc;
	if (item.has_content)
		rc = media_db_load_blob(&call, item.sha256, &blob);
	if (rc)
		return rc;
	json = item_json(&item);
	json_object_set_new(json, "quarantined", json_boolean(blob.is_quarantined));
	reply_json(r, json);
	return 0;
}

static int list_media(struct req *r)
{
	const struct hs_call call = call_of(r);
	const char *user = req_param(r, "userId"), *after_id = req_query(r, "after_id");
	struct media_after after = { .id = after_id };
	struct media_usage usage;
	struct media_item *items;
	json_t *list = json_array();
	size_t len = 0;
	int rc = req_query_i64(r, "after_ms", 0, &after.created_ms);

	if (rc == 0)
		rc = media_db_load_usage(&call, user, &usage);
	if (rc == 0)
		rc = media_db_list(&call, user, after_id ? &after : NULL, LIST_MAX, &items, &len);
	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, item_json(&items[i]));
	if (rc == 0)
		reply_json(r, json_pack("{s:I, s:I, s:O}", "files", (json_int_t)usage.files,
					"bytes", (json_int_t)usage.bytes, "media", list));
	json_decref(list);
	return rc;
}

static void log_done(struct req *r, const char *what)
{
	mx_log(MX_LOG_INFO, what, "server", req_param(r, "serverName"), "media",
	       req_param(r, "mediaId"), NULL);
}

static int delete_media(struct req *r)
{
	const struct hs_call call = call_of(r);
	int rc = media_delete(&call, req_param(r, "serverName"), req_param(r, "mediaId"), &r->err);

	if (rc == 0)
		log_done(r, "media is removed by the operator");
	return rc;
}

static int put_quarantine(struct req *r)
{
	const struct hs_call call = call_of(r);
	bool is_quarantined = jbool(r->body, "quarantined", true);
	int rc = media_quarantine(&call, req_param(r, "serverName"), req_param(r, "mediaId"),
				  is_quarantined, &r->err);

	if (rc == 0)
		log_done(r, is_quarantined ? "media is in quarantine" : "media is served again");
	return rc;
}

#define ITEM ADMIN_V1 "/media/{serverName}/{mediaId}"

const struct route media_admin_routes[] = {
	{ GET, ITEM, get_media, .txn = TXN_READ },
	{ DELETE, ITEM, delete_media },
	{ PUT, ITEM "/quarantine", put_quarantine, .body = "admin/media_quarantine" },
	{ GET, ADMIN_V1 "/users/{userId:user_id}/media", list_media, .txn = TXN_READ },
	{ 0 },
};

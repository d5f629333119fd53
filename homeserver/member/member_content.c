#include "homeserver/member/member_content.h"

#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/member/member.h"
#include "homeserver/profile/profile.h"
#include "homeserver/userdata/account_data.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/json/json.h"

#define PICTURE_MAX 1000 /* bytes of avatar_url */

/* Only this server says these. */
static const char *const reserved[] = { "join_authorised_via_users_server", "third_party_invite" };

/* ---- checking */

static int check_text(const json_t *content, const char *key, struct mx_error *err)
{
	const json_t *value = json_object_get(content, key);

	if (value && !json_is_string(value) && !json_is_null(value))
		return mx_fail(err, MX_BAD_JSON, "%s must be a string", key);
	return 0;
}

static int check_texts(const json_t *content, struct mx_error *err)
{
	static const char *const texts[] = { "displayname", "avatar_url", "reason" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		rc = check_text(content, texts[i], err);
	return rc;
}

static int check_lengths(const json_t *content, struct mx_error *err)
{
	if (mx_utf8_count(jslice(content, "displayname")) > PROFILE_NAME_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A displayname has at most %d characters",
			       PROFILE_NAME_MAX);
	if (jslice(content, "avatar_url").len > PICTURE_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "avatar_url has at most %d bytes",
			       PICTURE_MAX);
	return 0;
}

int member_content_check(const json_t *content, struct mx_error *err)
{
	int rc;

	if (membership_of(jslice(content, "membership")) == MEMBERSHIP_NONE)
		return mx_fail(err, MX_BAD_JSON, "membership must be one that there is");
	rc = check_texts(content, err);
	return rc ? rc : check_lengths(content, err);
}

/* ---- making */

static bool shows_profile(enum membership membership)
{
	return membership == MEMBERSHIP_JOIN || membership == MEMBERSHIP_INVITE ||
	       membership == MEMBERSHIP_KNOCK;
}

static void put_text(json_t *content, const char *key, const char *text)
{
	if (text)
		json_object_set_new(content, key, json_string(text));
}

int member_content_make(const struct hs_call *call, const struct member_change *change,
			const char *host, json_t *ret_content)
{
	if (change->content)
		json_object_update(ret_content, (json_t *)change->content);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		json_object_del(ret_content, reserved[i]);
	put_text(ret_content, "membership", membership_name(change->membership));
	put_text(ret_content, "reason", change->reason);
	put_text(ret_content, reserved[0], host);
	if (change->third_party)
		json_object_set(ret_content, reserved[1], (json_t *)change->third_party);
	if (change->is_direct)
		json_object_set_new(ret_content, "is_direct", json_true());
	if (!shows_profile(change->membership) || !id_is_local(call->hs, change->target))
		return 0;
	return profile_fill(call, change->target, ret_content);
}

/* ---- who does not want invites */

int invite_permission_check(const struct hs_call *call, const struct member_change *change,
			    struct mx_error *err)
{
	const struct account_data_key key = {
		.user_id = change->target,
		.type = "m.invite_permission_config",
	};
	json_auto_t *config = NULL;
	struct mx_slice text;
	int rc = account_data_load(call, &key, &text);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	config = json_loadb(text.ptr, text.len, 0, NULL);
	if (streq(jstr(config, "default_action"), "block"))
		return mx_fail(err, MX_INVITE_BLOCKED, "%s takes no invites", change->target);
	return 0;
}

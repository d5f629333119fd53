/* Spec: server-server API, "OpenID". */
#include "identity/account/account.h"
#include "identity/homeservers.h"
#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"
#include "shared/net/net.h"

#define ANSWER_MAX (5u * 1024)
#define CONNECT_MS 5000
#define TOTAL_MS   10000

#define USERINFO "/_matrix/federation/v1/openid/userinfo?access_token="

static int check_server(const struct identity *identity, const char *name, struct mx_error *err)
{
	if (!mx_server_name_valid(mx_slice(name)))
		return mx_fail(err, MX_INVALID_PARAM, "matrix_server_name is no server name");
	if (!homeserver_is_served(identity, mx_slice(name)))
		return mx_fail(err, MX_NOT_YOURS, "Users of this homeserver have no account here");
	return 0;
}

static void fetch(struct identity *identity, const char *server_name, const char *token,
		  struct mx_arena *mem, struct net_response *ret_response)
{
	mx_str_auto target = { 0 };
	struct net_request request = {
		.server = server_name,
		.max_bytes = ANSWER_MAX,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
	};

	mx_str_add_text(&target, USERINFO);
	mx_url_add(&target, mx_slice(token));
	request.target = target.ptr;
	net_fetch(identity->net, &request, mem, ret_response);
}

/* What its homeserver says of a token must never look like an answer about tokens of ours. */
static int check_answer(const struct net_response *answer, const char *server_name,
			struct mx_error *err)
{
	if (answer->rc && answer->rc != -MX_TOO_LARGE)
		mx_log(MX_LOG_INFO, "a homeserver could not be asked about an OpenID token",
		       "server", server_name, "why", answer->err.text, NULL);
	if (answer->rc == -MX_REMOTE_TIMEOUT)
		return mx_fail(err, MX_REMOTE_TIMEOUT, "The homeserver did not answer in time");
	if (answer->rc == -MX_ADDRESS_REFUSED || answer->rc == -MX_INVALID_PARAM)
		return mx_fail(err, MX_INVALID_PARAM, "That homeserver may not be contacted");
	if (answer->rc == -MX_TOO_LARGE)
		return mx_fail(err, MX_UNAUTHORIZED, "The homeserver's answer is too large");
	if (answer->rc)
		return mx_fail(err, MX_REMOTE_FAILED, "The homeserver could not be reached");
	if (answer->status == 400 || answer->status == 401 || answer->status == 403)
		return mx_fail(err, MX_UNAUTHORIZED, "The homeserver does not know this token");
	if (answer->status != 200)
		return mx_fail(err, MX_REMOTE_FAILED, "The homeserver answered with %d",
			       answer->status);
	return 0;
}

/* A homeserver speaks for its own users only: else it could take over anybody's account. */
static int read_user(struct mx_slice body, const char *server_name, struct mx_arena *mem,
		     const char **ret_user_id, struct mx_error *err)
{
	json_auto_t *json = NULL;
	struct mx_slice sub;
	struct mx_id id;

	if (mx_json_parse(body, &mx_json_default_limits, mem, &json, NULL))
		return mx_fail(err, MX_UNAUTHORIZED, "The homeserver's answer is no JSON");
	sub = jslice(json, "sub");
	if (!sub.ptr || memchr(sub.ptr, '\0', sub.len) || !mx_user_id_parse(sub, false, &id))
		return mx_fail(err, MX_UNAUTHORIZED, "The homeserver's answer names no user");
	if (!mx_slice_is(id.server, server_name))
		return mx_fail(err, MX_UNAUTHORIZED,
			       "The homeserver answered for a user of another one");
	*ret_user_id = mx_arena_strndup(mem, sub.ptr, sub.len);
	return 0;
}

int openid_user(struct identity *identity, const char *server_name, const char *openid_token,
		struct mx_arena *mem, const char **ret_user_id, struct mx_error *err)
{
	struct net_response answer;
	int rc = check_server(identity, server_name, err);

	if (rc)
		return rc;
	fetch(identity, server_name, openid_token, mem, &answer);
	rc = check_answer(&answer, server_name, err);
	return rc ? rc : read_user(answer.body, server_name, mem, ret_user_id, err);
}

/* Spec: client-server API, "Voice over IP". The server of calls knows the same secret, and believes
 * whoever shows a name that was sealed with it: draft-uberti-behave-turn-rest. */
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/routes.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/sha1.h"
#include "shared/daemon/files.h"
#include "shared/http/request.h"

#include <jansson.h>
#include <sodium.h>

#define SECRET_MAX 1024

/* Read again for each call: so it may be changed at any time. */
static int load_secret(const char *path, char **ret_secret, struct mx_error *err)
{
	struct mx_error why = { 0 };
	size_t len;

	if (file_read(path, SECRET_MAX, ret_secret, &len, &why)) {
		mx_log(MX_LOG_ERROR,
		       "there are no calls: the secret of the TURN server is not read", "why",
		       why.text, NULL);
		return mx_fail(err, MX_UNKNOWN, "Calls are not set up rightly here");
	}
	(*ret_secret)[strcspn(*ret_secret, "\r\n")] = '\0';
	return 0;
}

static json_t *uris_new(const struct hs_conf *conf)
{
	json_t *uris = json_array();

	for (unsigned i = 0; i < conf->turn.uris_count; i++)
		json_array_append_new(uris, json_string(conf->turn.uris[i]));
	return uris;
}

static void reply_credentials(struct req *r, const struct hs_conf *conf, const char *secret)
{
	int64_t lifetime_s = (int64_t)conf->turn.lifetime_hours * 3600;
	const char *name = mx_arena_strf(
		r->mem, "%lld:%s", (long long)(mx_now_ms() / MX_SECOND_MS + lifetime_s), r->user);
	uint8_t digest[MX_SHA1_LEN];
	mx_str_auto password = { 0 };

	mx_hmac_sha1(mx_slice(secret), mx_slice(name), digest);
	mx_base64_add(&password, digest, sizeof(digest));
	mx_str_add_text(&password, "="); /* TURN servers compare the padded form */
	reply_json(r, json_pack("{s:s, s:s, s:o, s:I}", "username", name, "password", password.ptr,
				"uris", uris_new(conf), "ttl", (json_int_t)lifetime_s));
}

/* Without a server of calls: `{}`, which clients take as that. */
static int get_turn_server(struct req *r)
{
	const struct hs_conf *conf = conf_of(r->app);
	char *secret = NULL;
	int rc;

	if (conf->turn.uris_count == 0)
		return 0;
	rc = load_secret(conf->turn.secret_file, &secret, &r->err);
	if (rc)
		return rc;
	reply_credentials(r, conf, secret);
	sodium_memzero(secret, strlen(secret));
	mx_free(secret);
	return 0;
}

const struct route turn_routes[] = {
	{ GET, CLIENT_V3 "/voip/turnServer", get_turn_server, .auth = AUTH_USER,
	  .limit = LIMIT_READ, .flags = ROUTE_CORS | ROUTE_GUESTS,
	  .reply = "client/turn_server.reply" },
	{ 0 },
};

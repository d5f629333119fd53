#include "identity/bind/unbind_proof.h"

#include "identity/bind/key_waits.h"
#include "identity/homeservers.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/keys/key_ring.h"
#include "shared/keys/xmatrix.h"
#include "shared/threepid/claim.h"

/* ---- by a session */

/* The same words with a status that says whose fault it is. */
static int session_failure(int rc, struct mx_error *err)
{
	static const enum mx_code codes[MX_CODE_COUNT] = {
		[MX_NO_VALID_SESSION] = MX_PROOF_UNKNOWN,
		[MX_SESSION_EXPIRED] = MX_PROOF_EXPIRED,
		[MX_SESSION_NOT_VALIDATED] = MX_PROOF_NOT_VALIDATED,
	};
	enum mx_code code = codes[-rc];

	return code ? mx_fail(err, code, "%s", mx_errc(code)->text) : rc;
}

int unbind_proof_session(const struct identity_call *call, const char *sid,
			 const char *client_secret, const struct threepid *threepid,
			 struct mx_error *err)
{
	const struct claim_call sessions = claim_call_of(*call);
	struct claim session;
	int rc = claim_proof(&sessions, sid, client_secret, &session, err);

	if (rc)
		return session_failure(rc, err);
	if (!threepid_same(&session.threepid, threepid))
		return mx_fail(err, MX_FORBIDDEN, "The session is of another address");
	return 0;
}

/* ---- by a signature */

/* Our own names by configuration: all that clients may have typed for this service. */
#define NAMES_MAX 64

struct names {
	struct mx_slice items[NAMES_MAX];
	size_t len;
};

static void add_name(struct names *names, struct mx_slice name)
{
	if (name.len == 0)
		return;
	for (size_t i = 0; i < names->len; i++) {
		if (mx_slice_eq(names->items[i], name))
			return;
	}
	if (names->len < NAMES_MAX)
		names->items[names->len++] = name;
}

static struct mx_slice until(struct mx_slice text, char end)
{
	const char *at = text.len ? memchr(text.ptr, end, text.len) : NULL;

	return at ? mx_slice_of(text.ptr, (size_t)(at - text.ptr)) : text;
}

/* An IPv6 literal has colons of its own. */
static struct mx_slice without_port(struct mx_slice authority)
{
	struct mx_slice host = until(authority, ']');

	if (host.len < authority.len)
		return mx_slice_of(authority.ptr, host.len + 1);
	return until(authority, ':');
}

/* "https://id.example.org:8090/base": host, host and port, and with the path. */
static void add_base_url(struct names *names, const char *url)
{
	const char *at = url ? strstr(url, "://") : NULL;
	struct mx_slice whole = mx_slice(at ? at + 3 : ""), authority = until(whole, '/');

	add_name(names, authority);
	add_name(names, without_port(authority));
	add_name(names, whole);
}

static void collect_names(const struct identity *identity, struct names *names)
{
	const struct identity_conf *conf = conf_of(identity);

	names->len = 0;
	add_name(names, mx_slice(identity->conf->server_name));
	add_base_url(names, identity->conf->public_base_url);
	for (unsigned i = 0; i < conf->binding.names_count; i++)
		add_name(names, mx_slice(conf->binding.names[i]));
}

static bool has_name(const struct names *names, struct mx_slice name)
{
	for (size_t i = 0; i < names->len; i++) {
		if (mx_slice_eq(names->items[i], name))
			return true;
	}
	return false;
}

static int no_proof(struct mx_error *err)
{
	return mx_fail(err, MX_NO_PROOF, "%s", mx_errc(MX_NO_PROOF)->text);
}

static int check_origin(const struct xmatrix *header, const struct unbind_request *request,
			struct mx_error *err)
{
	struct mx_id user;

	if (mx_user_id_parse(mx_slice(request->user_id), false, &user) &&
	    mx_slice_eq(user.server, header->origin))
		return 0;
	return mx_fail(err, MX_FORBIDDEN, "The user is not one of the server that signed");
}

static int fetch_key(const struct identity_call *call, const struct xmatrix *header,
		     const char *client, uint8_t ret_key[32], struct mx_error *err)
{
	struct key_waits *waits = call->identity->key_waits;
	unsigned place;
	int rc = key_waits_enter(waits, client, &place, err);

	if (rc)
		return rc;
	rc = key_ring_find(call->identity->key_ring, header->origin, header->key, call->now_ms,
			   true, ret_key, err);
	key_waits_leave(waits, place);
	return rc;
}

static int find_key(const struct identity_call *call, const struct xmatrix *header,
		    const struct unbind_request *request, uint8_t ret_key[32], struct mx_error *err)
{
	int rc = request->may_wait ? fetch_key(call, header, request->client, ret_key, err)
				   : key_ring_peek(call->identity->key_ring, header->origin,
						   header->key, call->now_ms, true, ret_key, err);

	if (rc == 0 || rc == -MX_MOVE_NET || rc == -MX_REMOTE_FAILED || rc == -MX_STORE ||
	    rc == -MX_LIMIT_EXCEEDED)
		return rc;
	return no_proof(err);
}

/* The specification says "destination"; Sydent and Synapse sign "destination_is". */
static bool verifies(const struct xmatrix *header, const struct unbind_request *request,
		     const struct names *names, const uint8_t key[32], struct mx_arena *mem)
{
	static const char *const members[] = { "destination_is", "destination" };

	for (size_t i = 0; i < 2 * names->len; i++) {
		const struct xmatrix_request signed_request = {
			.method = "POST",
			.target = request->target,
			.origin = header->origin,
			.destination = names->items[i / 2],
			.content = request->content,
			.destination_name = members[i % 2],
		};

		if (xmatrix_verify(header, &signed_request, key, mem, NULL) == 0)
			return true;
	}
	return false;
}

int unbind_proof_homeserver(const struct identity_call *call, const struct unbind_request *request,
			    struct mx_error *err)
{
	struct xmatrix header;
	struct names names;
	uint8_t key[32];
	int rc;

	if (!request->authorization ||
	    xmatrix_parse(mx_slice(request->authorization), call->mem, &header, NULL))
		return no_proof(err);
	collect_names(call->identity, &names);
	if (header.destination.ptr && !has_name(&names, header.destination))
		return no_proof(err);
	if (!homeserver_is_served(call->identity, header.origin))
		return mx_fail(err, MX_FORBIDDEN, "This service is not there for that homeserver");
	rc = check_origin(&header, request, err);
	if (rc == 0)
		rc = find_key(call, &header, request, key, err);
	if (rc)
		return rc;
	return verifies(&header, request, &names, key, call->mem) ? 0 : no_proof(err);
}

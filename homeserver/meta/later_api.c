/*
 * Endpoints of the specification that this server does not have: each answers as one without it
 * does, so that clients go on. Spec: client-server API, "Common error codes": M_UNRECOGNIZED is for
 * an endpoint that a server does not know. Where what the specification says of a server without
 * any such data is true and lets clients start, that is the answer.
 */
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"

static int not_here(struct req *r)
{
	return mx_fail(&r->err, MX_UNRECOGNIZED, "This server does not have that");
}

static int none_found(struct req *r)
{
	return mx_fail(&r->err, MX_NOT_FOUND, "There is none");
}

static void answer(struct req *r, const char *json)
{
	reply_bytes(r, "application/json", mx_slice(json));
}

static int no_pushers(struct req *r)
{
	answer(r, "{\"pushers\":[]}");
	return 0;
}

static int no_notifications(struct req *r)
{
	answer(r, "{\"notifications\":[]}");
	return 0;
}

static int nobodys_keys(struct req *r)
{
	answer(r, "{\"device_keys\":{},\"failures\":{}}");
	return 0;
}

static int no_key_changes(struct req *r)
{
	answer(r, "{\"changed\":[],\"left\":[]}");
	return 0;
}

static int no_protocols(struct req *r)
{
	answer(r, "{}");
	return 0;
}

static int empty_list(struct req *r)
{
	answer(r, "[]");
	return 0;
}

/* Refused before anybody is asked who they are: nothing is told. Bodies do not matter. */
#define REFUSED(method_, path_, handler_)                                                         \
	{                                                                                         \
		method_, path_, handler_, .limit = LIMIT_READ, .lane = LANE_IO,                   \
					  .flags = ROUTE_CORS | ROUTE_RAW_BODY, .reply = "error", \
	}
#define EMPTY(method_, path_, handler_, reply_)                                                \
	{                                                                                      \
		method_, path_, handler_,                                                      \
			.auth = AUTH_USER, .limit = LIMIT_READ,                                \
			.flags = ROUTE_CORS | ROUTE_RAW_BODY | ROUTE_GUESTS | ROUTE_SUSPENDED, \
			.reply = reply_,                                                       \
	}

#define ROOM_KEYS   CLIENT_V3 "/room_keys"
#define THIRD_PARTY CLIENT_V3 "/thirdparty"
#define PUSH_RULE   CLIENT_V3 "/pushrules/global/{kind}/{ruleId}"

const struct route later_routes[] = {
	/* Keys of devices: nobody has any, so clients do not encrypt, and all can read. */
	REFUSED(POST, CLIENT_V3 "/keys/upload", not_here),
	REFUSED(POST, CLIENT_V3 "/keys/claim", not_here),
	REFUSED(POST, CLIENT_V3 "/keys/device_signing/upload", not_here),
	REFUSED(POST, CLIENT_V3 "/keys/signatures/upload", not_here),
	EMPTY(POST, CLIENT_V3 "/keys/query", nobodys_keys, "client/keys_query.reply"),
	EMPTY(GET, CLIENT_V3 "/keys/changes", no_key_changes, "client/keys_changes.reply"),
	/* Messages between devices carry keys and their verification. */
	REFUSED(PUT, CLIENT_V3 "/sendToDevice/{eventType}/{txnId}", not_here),
	/* Copies of keys. There is none, which is M_NOT_FOUND: clients ask for it at start. */
	REFUSED(GET, ROOM_KEYS "/version", none_found),
	REFUSED(POST, ROOM_KEYS "/version", not_here),
	REFUSED(GET, ROOM_KEYS "/version/{version}", none_found),
	REFUSED(PUT, ROOM_KEYS "/version/{version}", none_found),
	REFUSED(DELETE, ROOM_KEYS "/version/{version}", none_found),
	REFUSED(GET, ROOM_KEYS "/keys", none_found),
	REFUSED(PUT, ROOM_KEYS "/keys", none_found),
	REFUSED(DELETE, ROOM_KEYS "/keys", none_found),
	REFUSED(GET, ROOM_KEYS "/keys/{roomId}", none_found),
	REFUSED(PUT, ROOM_KEYS "/keys/{roomId}", none_found),
	REFUSED(DELETE, ROOM_KEYS "/keys/{roomId}", none_found),
	REFUSED(GET, ROOM_KEYS "/keys/{roomId}/{sessionId}", none_found),
	REFUSED(PUT, ROOM_KEYS "/keys/{roomId}/{sessionId}", none_found),
	REFUSED(DELETE, ROOM_KEYS "/keys/{roomId}/{sessionId}", none_found),
	/* Rules of notifications are the default ones, for all: push_rules_api.c reads them. */
	REFUSED(PUT, PUSH_RULE, not_here),
	REFUSED(DELETE, PUSH_RULE, not_here),
	REFUSED(PUT, PUSH_RULE "/actions", not_here),
	REFUSED(PUT, PUSH_RULE "/enabled", not_here),
	EMPTY(GET, CLIENT_V3 "/pushers", no_pushers, "client/pushers.reply"),
	REFUSED(POST, CLIENT_V3 "/pushers/set", not_here),
	EMPTY(GET, CLIENT_V3 "/notifications", no_notifications, "client/notifications.reply"),
	/* Looking for things. */
	REFUSED(POST, CLIENT_V3 "/search", not_here),
	REFUSED(GET, CLIENT_V1 "/rooms/{roomId}/hierarchy", not_here),
	REFUSED(GET, CLIENT_V1 "/rooms/{roomId}/threads", not_here),
	/* Other networks: there are no bridges. */
	EMPTY(GET, THIRD_PARTY "/protocols", no_protocols, "client/third_party_protocols.reply"),
	REFUSED(GET, THIRD_PARTY "/protocol/{protocol}", none_found),
	EMPTY(GET, THIRD_PARTY "/location", empty_list, "client/third_party_list.reply"),
	REFUSED(GET, THIRD_PARTY "/location/{protocol}", none_found),
	EMPTY(GET, THIRD_PARTY "/user", empty_list, "client/third_party_list.reply"),
	REFUSED(GET, THIRD_PARTY "/user/{protocol}", none_found),
	REFUSED(PUT, CLIENT_V3 "/directory/list/appservice/{networkId}/{roomId}", not_here),
	REFUSED(POST, CLIENT_V1 "/appservice/{appserviceId}/ping", not_here),
	/* Signing in elsewhere. Spec: "a 404 M_UNRECOGNIZED means that the server does not support
	 * the OAuth 2.0 API". */
	REFUSED(GET, CLIENT_V1 "/auth_metadata", not_here),
	REFUSED(GET, CLIENT_V3 "/login/sso/redirect", not_here),
	REFUSED(GET, CLIENT_V3 "/login/sso/redirect/{idpId}", not_here),
	/* What other sites say of themselves. */
	REFUSED(GET, CLIENT_V1 "/media/preview_url", not_here),
	REFUSED(GET, "/_matrix/media/v3/preview_url", not_here),
	{ 0 },
};

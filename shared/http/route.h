/* A route: everything about an endpoint that is not its handler. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct req;

enum http_method { METHOD_NONE, GET, POST, PUT, DELETE }; /* HEAD and OPTIONS come by themselves */

/* Who may call; the daemon's authenticator decides for everything but AUTH_NONE. */
enum route_auth {
	AUTH_NONE,
	AUTH_USER,
	AUTH_USER_OR_GUEST,
	AUTH_SERVER,
	AUTH_APPSERVICE,
	AUTH_OPTIONAL
};

/* Token-bucket classes; their rates are configuration. LIMIT_NONE is not limited. */
enum route_limit {
	LIMIT_NONE,
	LIMIT_READ,
	LIMIT_EDIT,
	LIMIT_LOGIN,
	LIMIT_REGISTER,
	LIMIT_MESSAGE,
	LIMIT_QUERY,
	LIMIT_SEND_MAIL,
	LIMIT_MEDIA,
	LIMIT_COUNT
};

enum route_txn { TXN_NONE, TXN_READ, TXN_WRITE };

/* LANE_WORK: store and CPU, never the network. LANE_IO: memory only, on the I/O thread; may
 * return -MX_MOVE_WORK or -MX_MOVE_NET to be run again there. LANE_NET: may wait for others. */
enum route_lane { LANE_WORK, LANE_IO, LANE_NET };

enum route_flags {
	ROUTE_CORS = 1, /* browsers call it */
	ROUTE_SLASH = 2, /* also with a trailing slash */
	ROUTE_RAW_BODY = 4, /* not JSON: r->raw only */
	ROUTE_SPOOL = 32, /* with ROUTE_RAW_BODY: the body is r->spool, of the server's size */
	ROUTE_OPTIONAL_BODY = 8, /* an empty body is no error: r->body stays NULL */
	ROUTE_FORM = 16, /* the body may be an urlencoded form, or empty; what it lacks is
			    taken from the query. Values of both are strings in r->body */
	ROUTE_OWN = 256, /* from here on: flags of the daemon's own */
};

/*
 * path: "/_matrix/key/v2/query/{serverName:server_name}". A parameter takes one decoded segment;
 * its type (after ':') is a row of the type table, plain text without one.
 */
struct route {
	enum http_method method;
	const char *path;
	int (*handler)(struct req *r); /* 0, or -MX_… */
	enum route_auth auth;
	enum route_limit limit;
	enum route_txn txn;
	enum route_lane lane;
	unsigned flags;
	const char *body; /* schema of the request; NULL: the body is ignored */
	const char *reply; /* schema of the 200, for the tests */
	size_t body_max; /* 0 = 64 KiB */
	uint32_t nodes_max; /* of the scanner; 0 = its default */
	int64_t deadline_ms; /* for a parked or moved request; 0 = 60 s */
};

/* What is not found below path is looked for below as: two prefixes of the same depth, of literal
 * segments. { "/_matrix/client/r0", "/_matrix/client/v3" }. */
struct route_alias {
	const char *path, *as;
};

/* A type of path parameter. check: 0, or -MX_INVALID_PARAM and the like. */
struct param_type {
	const char *name;
	int (*check)(struct req *r, const char *value);
};

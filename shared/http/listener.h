/* Listening sockets and the library's daemons on them. */
#pragma once

#include "shared/http/http_server.h"

struct MHD_Daemon;
struct http_server;

struct listener {
	struct MHD_Daemon *daemon;
	int fd; /* while it is ours to close: before the start, after listener_quiesce() */
	uint16_t port;
	char *path; /* of a unix socket */
};

/* -MX_BAD_CONFIG if the address cannot be used. */
int listener_open(struct listener *listener, const struct http_listen *where, struct mx_error *err);
/* Begins to accept. */
int listener_start(struct listener *listener, struct http_server *server,
		   const struct http_conf *conf, bool tls, struct mx_error *err);

/* No new connections; those there are go on. */
void listener_quiesce(struct listener *listener);
/* Closes all connections; none may be suspended. */
void listener_close(struct listener *listener);

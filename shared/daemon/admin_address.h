/* Where the admin listener is: loopback or a unix socket, nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mx_error;

#define ADMIN_PATH_MAX 100 /* of struct sockaddr_un, with some room */

struct admin_address {
	bool is_unix;
	char host[ADMIN_PATH_MAX + 8]; /* "127.0.0.1", "::1", "unix:/path" */
	uint16_t port;
};

/* -MX_BAD_CONFIG with the reason, without file and key. */
int admin_address_parse(const char *text, struct admin_address *ret_address, struct mx_error *err);

/* "1.2.3.4:80", "[::1]:80": the parts into host (64 bytes) and port; false for anything else.
 * The host is not looked at. */
bool host_port_split(const char *text, char host[64], uint16_t *ret_port);

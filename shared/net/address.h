/* One IP address with a port, and its texts. */
#pragma once

#include "shared/core/slice.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_ADDRESS_TEXT_MAX 64

struct net_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* "192.0.2.1" or "2001:db8::1", without brackets, port or zone. */
bool net_address_parse(const char *text, struct net_address *ret_address);

/* False for families other than IPv4 and IPv6. */
bool net_address_from(const struct sockaddr *address, struct net_address *ret_address);
void net_address_format(const struct net_address *address, char ret_text[NET_ADDRESS_TEXT_MAX]);

/* The bytes of the address without its port: a map key. Borrows. */
struct mx_slice net_address_key(const struct net_address *address);

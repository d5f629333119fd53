/* Addresses of peers: from sockets, from text, in ranges, behind trusted proxies. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

#define PEER_TEXT_MAX 48

/* IPv4 is kept as IPv4-mapped IPv6, so both forms of one host are one. */
struct peer {
	uint8_t address[16];
	bool is_ip; /* false: a unix socket */
};

struct peer_range {
	struct peer base;
	unsigned bits;
};

struct peer peer_of(const struct sockaddr *address);
bool peer_parse(struct mx_slice text, struct peer *ret_peer);
void peer_format(const struct peer *peer, char ret_text[PEER_TEXT_MAX]);
bool peer_is_loopback(const struct peer *peer);

/* What limits count: the address, of IPv6 its /64, which is what one customer gets. */
struct mx_slice peer_key(const struct peer *peer);

/* "10.0.0.0/8", "::1"; false if it is neither. */
bool peer_range_parse(const char *text, struct peer_range *ret_range);
bool peer_in_range(const struct peer *peer, const struct peer_range *range);

/* ranges: NULL-ended CIDR texts, or NULL. */
struct peer_ranges {
	struct peer_range *items;
	unsigned len;
};

bool peer_ranges_load(const char *const *texts, struct peer_ranges *ret_ranges);
void peer_ranges_done(struct peer_ranges *ranges);
bool peer_ranges_have(const struct peer_ranges *ranges, const struct peer *peer);

/* The client behind trusted proxies: the rightmost address of X-Forwarded-For that is not a
 * proxy of ours; `peer` itself if the header is absent or does not parse. */
struct peer peer_behind(const struct peer_ranges *trusted, const struct peer *peer,
			struct mx_slice forwarded_for);

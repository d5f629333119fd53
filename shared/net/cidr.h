/* Address ranges, and which addresses a daemon may contact. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct mx_error;
struct mx_cidr_set;

/* Texts such as "10.0.0.0/8", "fd00::/8", "192.0.2.1". -MX_BAD_CONFIG names the bad one. */
int mx_cidr_set_new(const char *const *texts, size_t len, struct mx_cidr_set **ret_set,
		    struct mx_error *err);
void mx_cidr_set_free(struct mx_cidr_set *set);

/* IPv4 ranges also match their IPv4-mapped, -compatible, -translated, 6to4, Teredo, NAT64 and
 * ISATAP forms. A NULL set holds nothing. */
bool mx_cidr_set_has(const struct mx_cidr_set *set, const struct sockaddr *address);

/* Private, local, transitional, documentation, multicast and reserved ranges: what is refused
 * unless `allow` has it, in all its readings if it has several. Unix and other families are never
 * permitted. */
bool mx_address_permitted(const struct sockaddr *address, const struct mx_cidr_set *allow,
			  const struct mx_cidr_set *deny);

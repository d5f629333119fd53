/* Server names: host or literal, optional port. Spec: appendices, "Server Name". Names are
 * case-sensitive and never folded. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define MX_SERVER_NAME_MAX 255

enum mx_host_kind { MX_HOST_DNS, MX_HOST_IPV4, MX_HOST_IPV6 };

/* Slices of the name; an IPv6 host is without its brackets. */
struct mx_server_name {
	struct mx_slice host;
	enum mx_host_kind kind;
	uint16_t port; /* 0 = none was given */
};

/* False for what the grammar or the length refuses, and for port 0, ports above 65535, ports
 * with leading zeros, labels that are empty, all-numeric hosts that are no IPv4 address, and
 * zone ids. */
bool mx_server_name_parse(struct mx_slice name, struct mx_server_name *ret_name);
bool mx_server_name_valid(struct mx_slice name);

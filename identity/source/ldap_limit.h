/*
 * How long LDAP may take. OpenLDAP's library has time-outs, but none of them ends a TLS handshake
 * (its GnuTLS side tries again for ever), nor the reading of half a message; so a layer below TLS
 * does.
 */
#pragma once

#include <lber.h>
#include <stdbool.h>
#include <stdint.h>

struct ldap_limit {
	int64_t until_mono_ms;
	const _Atomic bool *stop; /* may be NULL; true: give up at once */
};

/* Whether it is time to give up. */
bool ldap_limit_is_over(const struct ldap_limit *limit);

/* From now on reading and writing fail when *limit, which may change, says so. 0, or -1. */
int ldap_limit_add(Sockbuf *buffer, const struct ldap_limit *limit);

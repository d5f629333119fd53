/* Who may vouch for a peer: the trusted authorities, loaded once, and the check of a TLS session
 * against them. */
#pragma once

#include "shared/core/slice.h"

#include <gnutls/gnutls.h>
#include <stddef.h>

struct mx_error;
struct net_trust;

/* ca_file NULL: the system's. -MX_BAD_CONFIG if it holds no certificate. */
int net_trust_new(const char *ca_file, struct net_trust **ret_trust, struct mx_error *err);
void net_trust_free(struct net_trust *trust);

#define NET_CERTIFICATE_HEX_MAX 65

/* Chain, validity, purpose and name of the peer's certificate: host is a DNS name or the text of
 * an IP address, which only an IP address in the certificate matches. ret_sha256 (hex) is
 * written as soon as there is a certificate. -MX_REMOTE_FAILED says what is wrong with it. */
int net_trust_check(const struct net_trust *trust, gnutls_session_t session, const char *host,
		    char ret_sha256[NET_CERTIFICATE_HEX_MAX], struct mx_error *err);

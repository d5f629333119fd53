/* The trusted authorities as they are in files. The library's own form of them takes ten times the
 * memory and serves one handshake in thousands each: it is made for a chain when it is checked. */
#pragma once

#include <gnutls/x509.h>
#include <stddef.h>

struct net_authorities;

/* ca_file NULL: the system's. NULL if it holds no certificate. */
struct net_authorities *net_authorities_load(const char *ca_file);
void net_authorities_free(struct net_authorities *authorities);

size_t net_authorities_len(const struct net_authorities *authorities);

/* Those that a certificate of the chain names as itself or as its issuer: all that a check of the
 * chain can use. The caller frees the list with its certificates. */
gnutls_x509_trust_list_t net_authorities_for(const struct net_authorities *authorities,
					     const gnutls_x509_crt_t *chain, unsigned len);

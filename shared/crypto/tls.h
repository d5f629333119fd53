/* GnuTLS server credentials with hot reload. */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/abstract.h>
#include <stdint.h>

struct mx_error;
struct mx_tls;

/* TLS 1.2 and 1.3, no RSA key exchange, no CBC, no SHA-1. */
extern const char mx_tls_priorities[];

/* PEM files. -MX_BAD_CONFIG with the reason if they do not load or do not belong together. */
int mx_tls_load(const char *certificate_file, const char *key_file, struct mx_tls **ret_tls,
		struct mx_error *err);

/* Reads the files again; on failure the old certificate stays in use. Thread-safe. */
int mx_tls_reload(struct mx_tls *tls, struct mx_error *err);
void mx_tls_free(struct mx_tls *tls);

/* When the certificate in use expires, milliseconds since 1970. */
int64_t mx_tls_expires_ms(struct mx_tls *tls);

/*
 * For MHD_OPTION_HTTPS_CERT_CALLBACK2: gives every handshake the newest certificate of the
 * mx_tls last passed to mx_tls_serve(). The callback carries no context of ours, so a process
 * has one serving certificate; every listener with TLS uses it. Listeners for peers, who show
 * certificates themselves, have another one and a callback of their own.
 */
void mx_tls_serve(struct mx_tls *tls);
int mx_tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **certs, unsigned int *certs_len, gnutls_ocsp_data_st **ocsp,
		    unsigned int *ocsp_len, gnutls_privkey_t *key, unsigned int *flags);
void mx_tls_serve_peers(struct mx_tls *tls);
int mx_tls_retrieve_peers(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			  gnutls_pcert_st **certs, unsigned int *certs_len,
			  gnutls_ocsp_data_st **ocsp, unsigned int *ocsp_len, gnutls_privkey_t *key,
			  unsigned int *flags);

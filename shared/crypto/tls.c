#include "shared/crypto/tls.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define CHAIN_MAX 16 /* certificates in one file */

const char mx_tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
				 ":-RSA:-DHE-RSA:-AES-128-CBC:-AES-256-CBC"
				 ":-AES-128-CCM:-AES-256-CCM:-SHA1"
				 ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1";

/* What the two files said when they were last read. Immutable. */
struct credentials {
	_Atomic int refs;
	gnutls_x509_privkey_t key;
	gnutls_datum_t chain[CHAIN_MAX]; /* DER, the server's own first */
	unsigned chain_len;
	unsigned key_usage;
	int64_t expires_ms;
};

struct mx_tls {
	char *certificate_file, *key_file;
	struct credentials *current; /* under lock */
};

/* Guards those two and every mx_tls.current; held for a pointer's time only. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mx_tls *serving, *serving_peers;

static void credentials_unref(struct credentials *credentials)
{
	if (!credentials || atomic_fetch_sub(&credentials->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < credentials->chain_len; i++)
		gnutls_free(credentials->chain[i].data);
	gnutls_x509_privkey_deinit(credentials->key);
	mx_free(credentials);
}

/* The current credentials, a reference for the caller; NULL if tls is NULL. Under lock. */
static struct credentials *credentials_of(struct mx_tls *tls)
{
	if (!tls)
		return NULL;
	atomic_fetch_add(&tls->current->refs, 1);
	return tls->current;
}

static int fail_file(struct mx_error *err, const char *file, int rc)
{
	return mx_fail(err, MX_BAD_CONFIG, "%s: %s", file, gnutls_strerror(rc));
}

static void wipe_and_free(gnutls_datum_t *bytes)
{
	if (bytes->data)
		gnutls_memset(bytes->data, 0, bytes->size);
	gnutls_free(bytes->data);
}

static int load_key(struct credentials *credentials, const char *file, struct mx_error *err)
{
	gnutls_datum_t pem = { 0 };
	int rc = gnutls_load_file(file, &pem);

	if (rc == 0)
		rc = gnutls_x509_privkey_import2(credentials->key, &pem, GNUTLS_X509_FMT_PEM, NULL,
						 0);
	wipe_and_free(&pem);
	return rc == 0 ? 0 : fail_file(err, file, rc);
}

static bool key_belongs(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	uint8_t of_certificate[64], of_key[64];
	size_t certificate_len = sizeof(of_certificate), key_len = sizeof(of_key);

	return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, of_certificate,
					  &certificate_len) == 0 &&
	       gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) ==
		       0 &&
	       certificate_len == key_len && memcmp(of_certificate, of_key, key_len) == 0;
}

/* Takes what is needed out of the parsed chain. */
static int keep_chain(struct credentials *credentials, gnutls_x509_crt_t *chain, unsigned len,
		      const char *file, struct mx_error *err)
{
	if (len == 0 || len > CHAIN_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "%s: not between 1 and %d certificates", file,
			       CHAIN_MAX);
	if (!key_belongs(chain[0], credentials->key))
		return mx_fail(err, MX_BAD_CONFIG, "%s: the private key is another certificate's",
			       file);
	for (unsigned i = 0; i < len; i++) {
		int rc = gnutls_x509_crt_export2(chain[i], GNUTLS_X509_FMT_DER,
						 &credentials->chain[i]);

		if (rc != 0)
			return fail_file(err, file, rc);
		credentials->chain_len++;
	}
	if (gnutls_x509_crt_get_key_usage(chain[0], &credentials->key_usage, NULL) < 0)
		credentials->key_usage = 0;
	credentials->expires_ms = (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]) * 1000;
	return 0;
}

static int load_chain(struct credentials *credentials, const char *file, struct mx_error *err)
{
	gnutls_datum_t pem = { 0 };
	gnutls_x509_crt_t *chain = NULL;
	unsigned len = 0;
	int rc = gnutls_load_file(file, &pem);

	if (rc == 0)
		rc = gnutls_x509_crt_list_import2(&chain, &len, &pem, GNUTLS_X509_FMT_PEM,
						  GNUTLS_X509_CRT_LIST_SORT);
	gnutls_free(pem.data);
	if (rc < 0)
		return fail_file(err, file, rc);
	rc = keep_chain(credentials, chain, len, file, err);
	for (unsigned i = 0; i < len; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	return rc;
}

static int credentials_load(const struct mx_tls *tls, struct credentials **ret_credentials,
			    struct mx_error *err)
{
	struct credentials *credentials = mx_calloc(1, sizeof(*credentials));
	int rc;

	atomic_init(&credentials->refs, 1);
	rc = gnutls_x509_privkey_init(&credentials->key);
	if (rc == 0)
		rc = load_key(credentials, tls->key_file, err);
	if (rc == 0)
		rc = load_chain(credentials, tls->certificate_file, err);
	if (rc != 0) {
		credentials_unref(credentials);
		return rc;
	}
	*ret_credentials = credentials;
	return 0;
}

int mx_tls_load(const char *certificate_file, const char *key_file, struct mx_tls **ret_tls,
		struct mx_error *err)
{
	struct mx_tls *tls = mx_calloc(1, sizeof(*tls));
	int rc;

	tls->certificate_file = mx_strdup(certificate_file);
	tls->key_file = mx_strdup(key_file);
	rc = credentials_load(tls, &tls->current, err);
	if (rc != 0) {
		mx_tls_free(tls);
		return rc;
	}
	*ret_tls = tls;
	return 0;
}

int mx_tls_reload(struct mx_tls *tls, struct mx_error *err)
{
	struct credentials *fresh, *old;
	int rc = credentials_load(tls, &fresh, err);

	if (rc != 0)
		return rc;
	pthread_mutex_lock(&lock);
	old = tls->current;
	tls->current = fresh;
	pthread_mutex_unlock(&lock);
	credentials_unref(old);
	return 0;
}

void mx_tls_free(struct mx_tls *tls)
{
	if (!tls)
		return;
	pthread_mutex_lock(&lock);
	if (serving == tls)
		serving = NULL;
	if (serving_peers == tls)
		serving_peers = NULL;
	pthread_mutex_unlock(&lock);
	credentials_unref(tls->current);
	mx_free(tls->certificate_file);
	mx_free(tls->key_file);
	mx_free(tls);
}

int64_t mx_tls_expires_ms(struct mx_tls *tls)
{
	int64_t expires_ms;

	pthread_mutex_lock(&lock);
	expires_ms = tls->current->expires_ms;
	pthread_mutex_unlock(&lock);
	return expires_ms;
}

void mx_tls_serve(struct mx_tls *tls)
{
	pthread_mutex_lock(&lock);
	serving = tls;
	pthread_mutex_unlock(&lock);
}

void mx_tls_serve_peers(struct mx_tls *tls)
{
	pthread_mutex_lock(&lock);
	serving_peers = tls;
	pthread_mutex_unlock(&lock);
}

/*
 * GnuTLS looks at what it is given until the session ends, and nothing tells us when that is. So
 * every session gets copies of its own, which GNUTLS_CERT_RETR_DEINIT_ALL makes it free.
 */
struct handed_out {
	gnutls_pcert_st *certs;
	unsigned len;
	gnutls_privkey_t key;
};

static void handed_out_done(struct handed_out *out)
{
	for (unsigned i = 0; i < out->len; i++)
		gnutls_pcert_deinit(&out->certs[i]);
	gnutls_free(out->certs);
	if (out->key)
		gnutls_privkey_deinit(out->key);
}

/*
 * GnuTLS uses the public key of the first certificate only, to choose a signature algorithm, and
 * it is the private key's. Parsing the certificates instead would take 20 us for each, a key
 * copied this way takes 1 us.
 */
static bool copy_certificate(const struct credentials *credentials, struct handed_out *out)
{
	const gnutls_datum_t *der = &credentials->chain[out->len];
	gnutls_pcert_st *cert = &out->certs[out->len];

	cert->type = GNUTLS_CRT_X509;
	cert->cert.data = gnutls_malloc(der->size);
	if (!cert->cert.data)
		return false;
	memcpy(cert->cert.data, der->data, der->size);
	cert->cert.size = der->size;
	out->len++;
	if (gnutls_pubkey_init(&cert->pubkey) != 0)
		return false;
	return out->len > 1 ||
	       gnutls_pubkey_import_privkey(cert->pubkey, out->key, credentials->key_usage, 0) == 0;
}

static bool hand_out(const struct credentials *credentials, struct handed_out *out)
{
	out->certs = gnutls_calloc(credentials->chain_len, sizeof(*out->certs));
	if (!out->certs || gnutls_privkey_init(&out->key) != 0)
		return false;
	if (gnutls_privkey_import_x509(out->key, credentials->key, GNUTLS_PRIVKEY_IMPORT_COPY) != 0)
		return false;
	for (unsigned i = 0; i < credentials->chain_len; i++) {
		if (!copy_certificate(credentials, out))
			return false;
	}
	return true;
}

/* What GnuTLS is to be told. */
struct retrieved {
	gnutls_pcert_st **certs;
	unsigned *certs_len;
	gnutls_ocsp_data_st **ocsp;
	unsigned *ocsp_len;
	gnutls_privkey_t *key;
	unsigned *flags;
};

static int retrieve(struct mx_tls *const *from, const struct retrieved *ret)
{
	struct handed_out out = { 0 };
	struct credentials *credentials;
	bool complete;

	pthread_mutex_lock(&lock);
	credentials = credentials_of(*from);
	pthread_mutex_unlock(&lock);
	if (!credentials)
		return -1;
	complete = hand_out(credentials, &out);
	credentials_unref(credentials);
	if (!complete) {
		handed_out_done(&out);
		return -1;
	}
	*ret->certs = out.certs;
	*ret->certs_len = out.len;
	*ret->key = out.key;
	*ret->ocsp = NULL;
	*ret->ocsp_len = 0;
	*ret->flags |= GNUTLS_CERT_RETR_DEINIT_ALL;
	return 0;
}

int mx_tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **certs, unsigned int *certs_len, gnutls_ocsp_data_st **ocsp,
		    unsigned int *ocsp_len, gnutls_privkey_t *key, unsigned int *flags)
{
	const struct retrieved ret = { certs, certs_len, ocsp, ocsp_len, key, flags };

	(void)session, (void)info;
	return retrieve(&serving, &ret);
}

int mx_tls_retrieve_peers(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			  gnutls_pcert_st **certs, unsigned int *certs_len,
			  gnutls_ocsp_data_st **ocsp, unsigned int *ocsp_len, gnutls_privkey_t *key,
			  unsigned int *flags)
{
	const struct retrieved ret = { certs, certs_len, ocsp, ocsp_len, key, flags };

	(void)session, (void)info;
	return retrieve(&serving_peers, &ret);
}

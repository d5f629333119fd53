#include "shared/net/trust.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/net/address.h"
#include "shared/net/authorities.h"

#include <gnutls/x509.h>

#define CHAIN_MAX    10
#define NAMES_MAX    100 /* of a certificate, looked through for the first that is a DNS name */
#define NAME_MAX_LEN 256

struct net_trust {
	struct net_authorities *authorities;
};

struct chain {
	gnutls_x509_crt_t certificates[CHAIN_MAX];
	unsigned len;
};

int net_trust_new(const char *ca_file, struct net_trust **ret_trust, struct mx_error *err)
{
	struct net_authorities *authorities = net_authorities_load(ca_file);

	if (!authorities)
		return mx_fail(err, MX_BAD_CONFIG, "No certificate authorities in %s",
			       ca_file ? ca_file : "the system's store");
	*ret_trust = mx_calloc(1, sizeof(**ret_trust));
	(*ret_trust)->authorities = authorities;
	return 0;
}

void net_trust_free(struct net_trust *trust)
{
	if (!trust)
		return;
	net_authorities_free(trust->authorities);
	mx_free(trust);
}

static void hex_sha256(const gnutls_datum_t *bytes, char ret_hex[NET_CERTIFICATE_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[MX_SHA256_LEN];

	mx_sha256(mx_slice_of(bytes->data, bytes->size), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 0xf];
	}
	ret_hex[2 * sizeof(digest)] = '\0';
}

static void chain_done(struct chain *chain)
{
	for (unsigned i = 0; i < chain->len; i++)
		gnutls_x509_crt_deinit(chain->certificates[i]);
}

static bool chain_load(const gnutls_datum_t *raw, unsigned len, struct chain *ret_chain)
{
	for (unsigned i = 0; i < len && i < CHAIN_MAX; i++) {
		gnutls_x509_crt_t certificate;

		if (gnutls_x509_crt_init(&certificate) < 0)
			abort();
		ret_chain->certificates[ret_chain->len++] = certificate;
		if (gnutls_x509_crt_import(certificate, &raw[i], GNUTLS_X509_FMT_DER) < 0)
			return false;
	}
	return true;
}

/* RFC 9525, 2: the common name is no place for a host name; the library still looks there if the
 * certificate has no others. */
static bool has_dns_name(gnutls_x509_crt_t certificate)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char name[NAME_MAX_LEN];
		size_t size = sizeof(name);
		int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, NULL);

		if (type == GNUTLS_SAN_DNSNAME)
			return true;
		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
	}
	return false;
}

static unsigned chain_verify(const struct net_trust *trust, struct chain *chain, const char *host)
{
	/* Peers send chains in any order; nothing below 112 bits is trusted. */
	const unsigned flags = GNUTLS_VERIFY_ALLOW_UNSORTED_CHAIN |
			       GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
	gnutls_typed_vdata_st wanted[] = {
		{ GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)host, 0 },
		{ GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER, 0 },
	};
	gnutls_x509_trust_list_t authorities;
	struct net_address literal;
	unsigned status = GNUTLS_CERT_INVALID;
	int rc;

	if (net_address_parse(host, &literal)) {
		struct mx_slice bytes = net_address_key(&literal);

		/* Checked as bytes: a DNS name that looks like the address does not count. */
		wanted[0] = (gnutls_typed_vdata_st){ GNUTLS_DT_IP_ADDRESS,
						     (unsigned char *)bytes.ptr,
						     (unsigned)bytes.len };
	} else if (!has_dns_name(chain->certificates[0])) {
		return GNUTLS_CERT_INVALID | GNUTLS_CERT_UNEXPECTED_OWNER;
	}
	authorities = net_authorities_for(trust->authorities, chain->certificates, chain->len);
	rc = gnutls_x509_trust_list_verify_crt2(authorities, chain->certificates, chain->len,
						wanted, 2, flags, &status, NULL);
	gnutls_x509_trust_list_deinit(authorities, 1);
	return rc < 0 ? GNUTLS_CERT_INVALID : status;
}

static int fail_with_status(unsigned status, struct mx_error *err)
{
	gnutls_datum_t text = { 0 };
	struct mx_slice trimmed;
	int rc;

	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) < 0)
		return mx_fail(err, MX_REMOTE_FAILED, "TLS: the certificate is not valid");
	trimmed = mx_trim(mx_slice((const char *)text.data));
	rc = mx_fail(err, MX_REMOTE_FAILED, "TLS: %.*s", MX_SLICE_ARG(trimmed));
	gnutls_free(text.data);
	return rc;
}

int net_trust_check(const struct net_trust *trust, gnutls_session_t session, const char *host,
		    char ret_sha256[NET_CERTIFICATE_HEX_MAX], struct mx_error *err)
{
	unsigned len = 0, status = GNUTLS_CERT_INVALID;
	const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &len);
	struct chain chain = { 0 };

	if (!raw || len == 0)
		return mx_fail(err, MX_REMOTE_FAILED, "TLS: the peer shows no certificate");
	hex_sha256(&raw[0], ret_sha256);
	if (chain_load(raw, len, &chain))
		status = chain_verify(trust, &chain, host);
	chain_done(&chain);
	return status == 0 ? 0 : fail_with_status(status, err);
}

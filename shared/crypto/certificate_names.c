#include "shared/crypto/certificate_names.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <strings.h>

#define NAME_MAX_BYTES 512
#define NAMES_MAX      1000

/* A NUL inside would hide what follows it. */
static bool is_name(const char *text, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(text, name, len) == 0;
}

static bool has_common_name(gnutls_x509_crt_t certificate, const char *name)
{
	char text[NAME_MAX_BYTES];
	size_t len = sizeof(text);

	return gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text,
					     &len) == 0 &&
	       is_name(text, len, name);
}

static bool has_dns_name(gnutls_x509_crt_t certificate, const char *name)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char text[NAME_MAX_BYTES];
		size_t len = sizeof(text);
		int rc = gnutls_x509_crt_get_subject_alt_name(certificate, i, text, &len, NULL);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return false;
		if (rc == GNUTLS_SAN_DNSNAME && is_name(text, len, name))
			return true;
	}
	return false;
}

bool mx_certificate_names(struct mx_slice der, const char *name)
{
	const gnutls_datum_t bytes = { (unsigned char *)(uintptr_t)der.ptr, (unsigned)der.len };
	gnutls_x509_crt_t certificate;
	bool found = false;

	if (der.len == 0 || gnutls_x509_crt_init(&certificate) != 0)
		return false;
	if (gnutls_x509_crt_import(certificate, &bytes, GNUTLS_X509_FMT_DER) == 0)
		found = has_common_name(certificate, name) || has_dns_name(certificate, name);
	gnutls_x509_crt_deinit(certificate);
	return found;
}

#include "shared/crypto/certificate_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

/* What a certificate is made with; NULL is left out. */
struct wanted {
	const char *common_name;
	size_t common_name_len; /* 0: all of it */
	const char *dns_names[3];
	const char *mail;
};

static void add_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t type,
		     const char *name)
{
	assert_int_equal(gnutls_x509_crt_set_subject_alt_name(certificate, type, name,
							      (unsigned)strlen(name),
							      GNUTLS_FSAN_APPEND),
			 0);
}

static void name_it(gnutls_x509_crt_t certificate, const struct wanted *wanted)
{
	size_t len = wanted->common_name_len;

	if (wanted->common_name)
		gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
					      wanted->common_name,
					      (unsigned)(len ? len : strlen(wanted->common_name)));
	for (size_t i = 0; i < 3 && wanted->dns_names[i]; i++)
		add_name(certificate, GNUTLS_SAN_DNSNAME, wanted->dns_names[i]);
	if (wanted->mail)
		add_name(certificate, GNUTLS_SAN_RFC822NAME, wanted->mail);
}

/* DER, to be freed with gnutls_free(). */
static gnutls_datum_t make(const struct wanted *wanted)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t der;

	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
				     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&certificate);
	gnutls_x509_crt_set_version(certificate, 3);
	gnutls_x509_crt_set_serial(certificate, "\x01", 1);
	gnutls_x509_crt_set_activation_time(certificate, 0);
	gnutls_x509_crt_set_expiration_time(certificate, (time_t)4102444800);
	gnutls_x509_crt_set_key(certificate, key);
	name_it(certificate, wanted);
	assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0),
			 0);
	assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	return der;
}

static void names(const struct wanted *wanted, const char *name, bool expected)
{
	gnutls_datum_t der = make(wanted);

	assert_int_equal(mx_certificate_names(mx_slice_of(der.data, der.size), name), expected);
	gnutls_free(der.data);
}

static void the_common_name_counts(void **state)
{
	const struct wanted wanted = { .common_name = "peer.test" };

	(void)state;
	names(&wanted, "peer.test", true);
	names(&wanted, "PEER.test", true);
	names(&wanted, "peer.tes", false);
	names(&wanted, "a.peer.test", false);
	names(&wanted, "", false);
}

static void every_dns_name_counts(void **state)
{
	const struct wanted wanted = { .common_name = "leaf", .dns_names = { "a.test", "b.test" } };

	(void)state;
	names(&wanted, "a.test", true);
	names(&wanted, "b.test", true);
	names(&wanted, "leaf", true);
	names(&wanted, "c.test", false);
}

static void other_names_and_wildcards_do_not(void **state)
{
	const struct wanted wanted = { .dns_names = { "*.test" }, .mail = "peer.test" };

	(void)state;
	names(&wanted, "peer.test", false);
	names(&wanted, "a.test", false);
}

static void a_nul_in_a_name_hides_nothing(void **state)
{
	const struct wanted wanted = { "peer.test\0.evil.test", 20, { NULL }, NULL };

	(void)state;
	names(&wanted, "peer.test", false);
}

static void what_is_no_certificate_names_nobody(void **state)
{
	(void)state;
	assert_false(mx_certificate_names(MX_SLICE(""), "peer.test"));
	assert_false(mx_certificate_names(MX_SLICE("peer.test"), "peer.test"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_common_name_counts),
		cmocka_unit_test(every_dns_name_counts),
		cmocka_unit_test(other_names_and_wildcards_do_not),
		cmocka_unit_test(a_nul_in_a_name_hides_nothing),
		cmocka_unit_test(what_is_no_certificate_names_nobody),
	};
	return cmocka_run_group_tests_name("crypto/certificate_names", tests, NULL, NULL);
}

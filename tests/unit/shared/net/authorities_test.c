#include "shared/net/authorities.h"

#include "shared/core/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EXPIRES INT64_C(4102444800) /* 2100 */

/* A certificate with its key. */
struct issued {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

/* As it comes from a peer: one just made has no names to look for. */
static void read_again(gnutls_x509_crt_t *certificate)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_export2(*certificate, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(*certificate);
	assert_int_equal(gnutls_x509_crt_init(certificate), 0);
	assert_int_equal(gnutls_x509_crt_import(*certificate, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
}

/* Tells apart authorities of one name. */
static void set_key_ids(const struct issued *issued, const struct issued *issuer)
{
	unsigned char id[64];
	size_t len = sizeof(id);

	assert_int_equal(gnutls_x509_crt_get_key_id(issued->certificate, 0, id, &len), 0);
	assert_int_equal(gnutls_x509_crt_set_subject_key_id(issued->certificate, id, len), 0);
	len = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_key_id(issuer->certificate, 0, id, &len), 0);
	assert_int_equal(gnutls_x509_crt_set_authority_key_id(issued->certificate, id, len), 0);
}

/* By `issuer`, or by itself if that is NULL. */
static struct issued issue(const char *dn, const struct issued *issuer)
{
	struct issued issued;

	assert_int_equal(gnutls_x509_privkey_init(&issued.key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(issued.key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&issued.certificate), 0);
	gnutls_x509_crt_set_version(issued.certificate, 3);
	gnutls_x509_crt_set_serial(issued.certificate, "\x01", 1);
	assert_int_equal(gnutls_x509_crt_set_dn(issued.certificate, dn, NULL), 0);
	gnutls_x509_crt_set_activation_time(issued.certificate, 0);
	gnutls_x509_crt_set_expiration_time(issued.certificate, (time_t)EXPIRES);
	gnutls_x509_crt_set_key(issued.certificate, issued.key);
	gnutls_x509_crt_set_basic_constraints(issued.certificate, issuer ? 0 : 1, -1);
	if (!issuer)
		issuer = &issued;
	set_key_ids(&issued, issuer);
	assert_int_equal(gnutls_x509_crt_sign2(issued.certificate, issuer->certificate, issuer->key,
					       GNUTLS_DIG_SHA256, 0),
			 0);
	read_again(&issued.certificate);
	return issued;
}

static void issued_done(struct issued *issued)
{
	gnutls_x509_crt_deinit(issued->certificate);
	gnutls_x509_privkey_deinit(issued->key);
}

static void write_pem(FILE *file, const struct issued *issued)
{
	gnutls_datum_t pem;

	assert_int_equal(gnutls_x509_crt_export2(issued->certificate, GNUTLS_X509_FMT_PEM, &pem),
			 0);
	assert_int_equal(fwrite(pem.data, 1, pem.size, file), pem.size);
	gnutls_free(pem.data);
}

static struct net_authorities *authorities_of(const struct issued *issued, size_t len)
{
	char path[] = "/tmp/authorities-test-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct net_authorities *authorities;

	assert_non_null(file);
	fputs("# a comment, as bundles have them\n", file);
	for (size_t i = 0; i < len; i++)
		write_pem(file, &issued[i]);
	fclose(file);
	authorities = net_authorities_load(path);
	unlink(path);
	return authorities;
}

/* How many authorities are picked for a certificate, and whether it is verified by them. */
static unsigned picked_for(const struct net_authorities *authorities, const struct issued *leaf,
			   bool *ret_verified)
{
	gnutls_x509_crt_t chain = leaf->certificate, found;
	gnutls_x509_trust_list_t list = net_authorities_for(authorities, &chain, 1);
	gnutls_x509_trust_list_iter_t iter = NULL;
	unsigned count = 0, status = 1;

	while (gnutls_x509_trust_list_iter_get_ca(list, &iter, &found) >= 0) {
		gnutls_x509_crt_deinit(found);
		count++;
	}
	gnutls_x509_trust_list_iter_deinit(iter);
	assert_int_equal(
		gnutls_x509_trust_list_verify_crt2(list, &chain, 1, NULL, 0, 0, &status, NULL), 0);
	*ret_verified = status == 0;
	gnutls_x509_trust_list_deinit(list, 1);
	return count;
}

/* ---- tests */

static void only_authorities_that_the_chain_names_are_taken(void **state)
{
	struct issued all[] = { issue("CN=Ann", NULL), issue("CN=Bob", NULL),
				issue("CN=Ann,O=Other", NULL) };
	struct issued leaf = issue("CN=leaf", &all[1]);
	struct net_authorities *authorities = authorities_of(all, 3);
	bool verified;

	(void)state;
	assert_int_equal(net_authorities_len(authorities), 3);
	assert_int_equal(picked_for(authorities, &leaf, &verified), 1);
	assert_true(verified);
	net_authorities_free(authorities);
	issued_done(&leaf);
	for (size_t i = 0; i < 3; i++)
		issued_done(&all[i]);
}

static void all_authorities_of_a_name_are_taken(void **state)
{
	struct issued all[] = { issue("CN=Ann", NULL), issue("CN=Ann", NULL) };
	struct net_authorities *authorities = authorities_of(all, 2);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct issued leaf = issue("CN=leaf", &all[i]);
		bool verified;

		assert_int_equal(picked_for(authorities, &leaf, &verified), 2);
		assert_true(verified);
		issued_done(&leaf);
	}
	net_authorities_free(authorities);
	for (size_t i = 0; i < 2; i++)
		issued_done(&all[i]);
}

static void a_name_alone_makes_nobody_trusted(void **state)
{
	struct issued ann = issue("CN=Ann", NULL), impostor = issue("CN=Ann", NULL);
	struct issued leaf = issue("CN=leaf", &impostor);
	struct net_authorities *authorities = authorities_of(&ann, 1);
	bool verified;

	(void)state;
	assert_int_equal(picked_for(authorities, &leaf, &verified), 1);
	assert_false(verified);
	net_authorities_free(authorities);
	issued_done(&leaf);
	issued_done(&impostor);
	issued_done(&ann);
}

static void an_authority_may_show_its_own_certificate(void **state)
{
	struct issued ann = issue("CN=Ann", NULL);
	struct net_authorities *authorities = authorities_of(&ann, 1);
	bool verified;

	(void)state;
	assert_int_equal(picked_for(authorities, &ann, &verified), 1);
	assert_true(verified);
	net_authorities_free(authorities);
	issued_done(&ann);
}

static void nobody_vouches_for_a_stranger(void **state)
{
	struct issued ann = issue("CN=Ann", NULL), bob = issue("CN=Bob", NULL);
	struct issued leaf = issue("CN=leaf", &bob);
	struct net_authorities *authorities = authorities_of(&ann, 1);
	bool verified;

	(void)state;
	assert_int_equal(picked_for(authorities, &leaf, &verified), 0);
	assert_false(verified);
	net_authorities_free(authorities);
	issued_done(&leaf);
	issued_done(&bob);
	issued_done(&ann);
}

static void a_file_without_certificates_is_none(void **state)
{
	(void)state;
	assert_null(authorities_of(NULL, 0));
	assert_null(net_authorities_load("/nowhere/authorities.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_authorities_that_the_chain_names_are_taken),
		cmocka_unit_test(all_authorities_of_a_name_are_taken),
		cmocka_unit_test(a_name_alone_makes_nobody_trusted),
		cmocka_unit_test(an_authority_may_show_its_own_certificate),
		cmocka_unit_test(nobody_vouches_for_a_stranger),
		cmocka_unit_test(a_file_without_certificates_is_none),
	};

	return cmocka_run_group_tests_name("net/authorities", tests, NULL, NULL);
}

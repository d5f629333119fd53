#include "shared/crypto/tls.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TLS_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define EXPIRES INT64_C(4102444800) /* 2100 */

struct place {
	char directory[64];
	char certificate[96], key[96];
};

/* A certificate that is being made, with its key. */
struct issued {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

static int make_place(void **state)
{
	struct place *place = mx_calloc(1, sizeof(*place));

	snprintf(place->directory, sizeof(place->directory), "/tmp/tls-test-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->certificate, sizeof(place->certificate), "%s/cert.pem", place->directory);
	snprintf(place->key, sizeof(place->key), "%s/key.pem", place->directory);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->certificate);
	unlink(place->key);
	rmdir(place->directory);
	mx_free(place);
	return 0;
}

static void write_text(const char *path, const void *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void generate_key(gnutls_x509_privkey_t *key, gnutls_pk_algorithm_t algorithm)
{
	unsigned bits = algorithm == GNUTLS_PK_RSA
				? 2048
				: GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

	assert_int_equal(gnutls_x509_privkey_init(key), 0);
	assert_int_equal(gnutls_x509_privkey_generate(*key, algorithm, bits, 0), 0);
}

/* By `issuer`, or by itself if that is NULL. */
static struct issued issue(const char *name, gnutls_pk_algorithm_t algorithm,
			   const struct issued *issuer)
{
	mx_autofree char *dn = mx_strf("CN=%s", name);
	struct issued issued;
	gnutls_x509_crt_t certificate;

	generate_key(&issued.key, algorithm);
	assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
	gnutls_x509_crt_set_version(certificate, 3);
	gnutls_x509_crt_set_serial(certificate, "\x01", 1);
	gnutls_x509_crt_set_dn(certificate, dn, NULL);
	gnutls_x509_crt_set_activation_time(certificate, 0);
	gnutls_x509_crt_set_expiration_time(certificate, (time_t)EXPIRES);
	gnutls_x509_crt_set_key(certificate, issued.key);
	gnutls_x509_crt_set_basic_constraints(certificate, issuer ? 0 : 1, -1);
	assert_int_equal(
		gnutls_x509_crt_sign2(certificate, issuer ? issuer->certificate : certificate,
				      issuer ? issuer->key : issued.key, GNUTLS_DIG_SHA256, 0),
		0);
	issued.certificate = certificate;
	return issued;
}

static void issued_done(struct issued *issued)
{
	gnutls_x509_crt_deinit(issued->certificate);
	gnutls_x509_privkey_deinit(issued->key);
}

static void append_certificate(struct mx_str *pem, const struct issued *issued)
{
	gnutls_datum_t text;

	assert_int_equal(gnutls_x509_crt_export2(issued->certificate, GNUTLS_X509_FMT_PEM, &text),
			 0);
	mx_str_add(pem, text.data, text.size);
	gnutls_free(text.data);
}

static void save_key(const struct place *place, const struct issued *issued)
{
	gnutls_datum_t text;

	assert_int_equal(gnutls_x509_privkey_export2_pkcs8(issued->key, GNUTLS_X509_FMT_PEM, NULL,
							   GNUTLS_PKCS_PLAIN, &text),
			 0);
	write_text(place->key, text.data, text.size);
	gnutls_free(text.data);
}

/* A new self-signed certificate of that name takes the place of the files. */
static void save_new(const struct place *place, const char *name, gnutls_pk_algorithm_t algorithm)
{
	struct issued issued = issue(name, algorithm, NULL);
	mx_str_auto pem = { 0 };

	append_certificate(&pem, &issued);
	write_text(place->certificate, pem.ptr, pem.len);
	save_key(place, &issued);
	issued_done(&issued);
}

static struct mx_tls *load(const struct place *place)
{
	struct mx_error err = { 0 };
	struct mx_tls *tls = NULL;

	if (mx_tls_load(place->certificate, place->key, &tls, &err) != 0)
		fail_msg("%s", err.text);
	return tls;
}

/* One end of a connection. */
struct end {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
	int fd;
	int rc;
};

static void end_init(struct end *end, unsigned flags, const char *priorities, int fd)
{
	assert_int_equal(gnutls_priority_init(&end->priorities, priorities, NULL), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&end->credentials), 0);
	if (flags & GNUTLS_SERVER)
		gnutls_certificate_set_retrieve_function3(end->credentials, mx_tls_retrieve);
	assert_int_equal(gnutls_init(&end->session, flags), 0);
	gnutls_priority_set(end->session, end->priorities);
	gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, end->credentials);
	gnutls_transport_set_int(end->session, fd);
	gnutls_handshake_set_timeout(end->session, 20000);
	end->fd = fd;
}

static void end_done(struct end *end)
{
	gnutls_deinit(end->session);
	gnutls_certificate_free_credentials(end->credentials);
	gnutls_priority_deinit(end->priorities);
	close(end->fd);
}

static void *handshake(void *arg)
{
	struct end *end = arg;

	do
		end->rc = gnutls_handshake(end->session);
	while (end->rc < 0 && !gnutls_error_is_fatal(end->rc));
	if (end->rc < 0)
		shutdown(end->fd, SHUT_RDWR);
	return NULL;
}

struct connection {
	struct end server, client;
};

static bool connection_open(struct connection *connection, const char *client_priorities)
{
	int fds[2];
	pthread_t thread;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_init(&connection->server, GNUTLS_SERVER, mx_tls_priorities, fds[0]);
	end_init(&connection->client, GNUTLS_CLIENT, client_priorities, fds[1]);
	assert_int_equal(pthread_create(&thread, NULL, handshake, &connection->server), 0);
	handshake(&connection->client);
	pthread_join(thread, NULL);
	return connection->server.rc == 0 && connection->client.rc == 0;
}

static void connection_close(struct connection *connection)
{
	end_done(&connection->client);
	end_done(&connection->server);
}

/* The name in the first certificate that the client got. */
static void peer_name(const struct connection *connection, char *ret_name, size_t size)
{
	unsigned count;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(connection->client.session,
								 &count);
	gnutls_x509_crt_t certificate;

	assert_non_null(der);
	assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
	assert_int_equal(gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
						       0, ret_name, &size),
			 0);
	gnutls_x509_crt_deinit(certificate);
}

static void assert_serves(const char *name, const char *client_priorities)
{
	struct connection connection;
	char got[64];

	assert_true(connection_open(&connection, client_priorities));
	peer_name(&connection, got, sizeof(got));
	assert_string_equal(got, name);
	connection_close(&connection);
}

static void both_versions_and_both_kinds_of_keys_work(void **state)
{
	static const gnutls_pk_algorithm_t algorithms[] = { GNUTLS_PK_ECDSA, GNUTLS_PK_RSA };

	for (size_t i = 0; i < 2; i++) {
		struct mx_tls *tls;

		save_new(*state, "one.example", algorithms[i]);
		tls = load(*state);
		mx_tls_serve(tls);
		assert_serves("one.example", TLS_1_3);
		assert_serves("one.example", TLS_1_2);
		mx_tls_free(tls);
	}
}

static void old_versions_and_ciphers_are_refused(void **state)
{
	static const char *const clients[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0",
		TLS_1_2 ":-KX-ALL:+RSA",
		TLS_1_2 ":-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
	};
	struct mx_tls *tls;

	save_new(*state, "one.example", GNUTLS_PK_RSA);
	tls = load(*state);
	mx_tls_serve(tls);
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		struct connection connection;

		assert_false(connection_open(&connection, clients[i]));
		connection_close(&connection);
	}
	mx_tls_free(tls);
}

static void nothing_weak_is_among_the_priorities(void **state)
{
	gnutls_priority_t priorities;
	const unsigned *signatures;
	unsigned suite;
	int count;

	(void)state;
	assert_int_equal(gnutls_priority_init(&priorities, mx_tls_priorities, NULL), 0);
	for (unsigned i = 0;; i++) {
		gnutls_kx_algorithm_t exchange;
		gnutls_cipher_algorithm_t cipher;
		gnutls_mac_algorithm_t mac;
		int rc = gnutls_priority_get_cipher_suite_index(priorities, i, &suite);

		if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (rc == GNUTLS_E_UNKNOWN_CIPHER_SUITE)
			continue;
		assert_non_null(
			gnutls_cipher_suite_info(suite, NULL, &exchange, &cipher, &mac, NULL));
		assert_int_not_equal(exchange, GNUTLS_KX_RSA);
		assert_int_equal(mac, GNUTLS_MAC_AEAD);
	}
	count = gnutls_priority_sign_list(priorities, &signatures);
	assert_true(count > 0);
	for (int i = 0; i < count; i++)
		assert_int_not_equal(
			gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)signatures[i]),
			GNUTLS_DIG_SHA1);
	gnutls_priority_deinit(priorities);
}

static void the_whole_chain_is_sent_in_order(void **state)
{
	const struct place *place = *state;
	struct issued root = issue("root", GNUTLS_PK_ECDSA, NULL);
	struct issued middle = issue("middle", GNUTLS_PK_RSA, &root);
	struct issued leaf = issue("leaf.example", GNUTLS_PK_ECDSA, &middle);
	static const char *const versions[] = { TLS_1_2, TLS_1_3 };
	mx_str_auto pem = { 0 };
	struct mx_tls *tls;

	append_certificate(&pem, &leaf);
	append_certificate(&pem, &root);
	append_certificate(&pem, &middle);
	write_text(place->certificate, pem.ptr, pem.len);
	save_key(place, &leaf);
	tls = load(place);
	mx_tls_serve(tls);
	for (size_t i = 0; i < 2; i++) {
		struct connection connection;
		char name[64];
		unsigned count = 0;
		const gnutls_datum_t *chain;

		assert_true(connection_open(&connection, versions[i]));
		chain = gnutls_certificate_get_peers(connection.client.session, &count);
		assert_int_equal(count, 3);
		assert_non_null(memmem(chain[1].data, chain[1].size, "middle", 6));
		assert_non_null(memmem(chain[2].data, chain[2].size, "root", 4));
		assert_null(memmem(chain[2].data, chain[2].size, "middle", 6));
		peer_name(&connection, name, sizeof(name));
		assert_string_equal(name, "leaf.example");
		connection_close(&connection);
	}
	mx_tls_free(tls);
	issued_done(&leaf);
	issued_done(&middle);
	issued_done(&root);
}

static void new_connections_get_the_new_certificate_and_old_ones_go_on(void **state)
{
	struct connection old;
	struct mx_tls *tls;
	char name[64], bytes[6] = "";

	save_new(*state, "one.example", GNUTLS_PK_ECDSA);
	tls = load(*state);
	mx_tls_serve(tls);
	assert_true(connection_open(&old, TLS_1_3));
	save_new(*state, "two.example", GNUTLS_PK_RSA);
	assert_serves("one.example", TLS_1_3);
	assert_int_equal(mx_tls_reload(tls, NULL), 0);
	assert_serves("two.example", TLS_1_3);
	assert_serves("two.example", TLS_1_2);
	assert_int_equal(gnutls_record_send(old.server.session, "hello", 6), 6);
	assert_int_equal(gnutls_record_recv(old.client.session, bytes, sizeof(bytes)), 6);
	assert_string_equal(bytes, "hello");
	peer_name(&old, name, sizeof(name));
	assert_string_equal(name, "one.example");
	connection_close(&old);
	mx_tls_free(tls);
}

static void a_connection_outlives_the_credentials(void **state)
{
	struct connection connection;
	struct mx_tls *tls;
	char bytes[6] = "";

	save_new(*state, "one.example", GNUTLS_PK_ECDSA);
	tls = load(*state);
	mx_tls_serve(tls);
	assert_true(connection_open(&connection, TLS_1_3));
	mx_tls_free(tls);
	assert_non_null(gnutls_certificate_get_ours(connection.server.session));
	assert_int_equal(gnutls_record_send(connection.server.session, "hello", 6), 6);
	assert_int_equal(gnutls_record_recv(connection.client.session, bytes, sizeof(bytes)), 6);
	connection_close(&connection);
}

static void bad_files_leave_the_old_certificate(void **state)
{
	const struct place *place = *state;
	struct issued other = issue("other.example", GNUTLS_PK_ECDSA, NULL);
	struct mx_error err = { 0 };
	struct mx_tls *tls;

	save_new(place, "one.example", GNUTLS_PK_ECDSA);
	tls = load(place);
	mx_tls_serve(tls);
	save_key(place, &other);
	assert_int_equal(mx_tls_reload(tls, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, "another certificate's"));
	write_text(place->key, "nonsense", 8);
	assert_int_equal(mx_tls_reload(tls, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, place->key));
	unlink(place->key);
	assert_int_equal(mx_tls_reload(tls, &err), -MX_BAD_CONFIG);
	save_key(place, &other);
	write_text(place->certificate, "", 0);
	assert_int_equal(mx_tls_reload(tls, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, place->certificate));
	assert_serves("one.example", TLS_1_3);
	mx_tls_free(tls);
	issued_done(&other);
}

static void bad_files_do_not_load(void **state)
{
	const struct place *place = *state;
	struct mx_error err = { 0 };
	struct mx_tls *tls = NULL;

	assert_int_equal(mx_tls_load(place->certificate, place->key, &tls, &err), -MX_BAD_CONFIG);
	assert_null(tls);
	assert_true(err.text[0]);
}

static void the_expiry_is_told(void **state)
{
	struct mx_tls *tls;

	save_new(*state, "one.example", GNUTLS_PK_ECDSA);
	tls = load(*state);
	assert_true(mx_tls_expires_ms(tls) == EXPIRES * 1000);
	mx_tls_free(tls);
}

static void nobody_is_served_without_credentials(void **state)
{
	struct connection connection;

	(void)state;
	mx_tls_serve(NULL);
	assert_false(connection_open(&connection, TLS_1_3));
	connection_close(&connection);
}

struct visitor {
	pthread_t thread;
	_Atomic bool *stop;
	unsigned good, bad;
};

/* Assertions may not fail outside of the test's own thread: it counts instead. */
static void *visit(void *arg)
{
	struct visitor *visitor = arg;

	while (!atomic_load(visitor->stop)) {
		struct connection connection;

		if (connection_open(&connection, visitor->good % 2 ? TLS_1_2 : TLS_1_3))
			visitor->good++;
		else
			visitor->bad++;
		connection_close(&connection);
	}
	return NULL;
}

static void handshakes_and_reloads_do_not_disturb_each_other(void **state)
{
	struct visitor visitors[3] = { 0 };
	_Atomic bool stop = false;
	struct mx_tls *tls;

	save_new(*state, "one.example", GNUTLS_PK_ECDSA);
	tls = load(*state);
	mx_tls_serve(tls);
	for (size_t i = 0; i < 3; i++) {
		visitors[i].stop = &stop;
		assert_int_equal(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
	}
	for (int i = 0; i < 100; i++) {
		save_new(*state, "next.example", GNUTLS_PK_ECDSA);
		assert_int_equal(mx_tls_reload(tls, NULL), 0);
		assert_true(mx_tls_expires_ms(tls) > 0);
	}
	assert_serves("next.example", TLS_1_3);
	atomic_store(&stop, true);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(visitors[i].thread, NULL);
		assert_int_equal(visitors[i].bad, 0);
		assert_true(visitors[i].good > 0);
	}
	mx_tls_free(tls);
}

#define place_test(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		place_test(both_versions_and_both_kinds_of_keys_work),
		place_test(old_versions_and_ciphers_are_refused),
		place_test(nothing_weak_is_among_the_priorities),
		place_test(the_whole_chain_is_sent_in_order),
		place_test(new_connections_get_the_new_certificate_and_old_ones_go_on),
		place_test(a_connection_outlives_the_credentials),
		place_test(bad_files_leave_the_old_certificate),
		place_test(bad_files_do_not_load),
		place_test(the_expiry_is_told),
		place_test(nobody_is_served_without_credentials),
		place_test(handshakes_and_reloads_do_not_disturb_each_other),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("crypto/tls", tests, NULL, NULL);
}

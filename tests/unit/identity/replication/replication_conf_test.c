#include "identity/replication/replication_conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEY "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"

static const char *keys[] = { KEY };

static struct replication_peer_conf good_peer(void)
{
	return (struct replication_peer_conf){ "peer.test", "https://peer.test:4434", keys, 1 };
}

/* With what it needs besides. */
static int check(struct replication_peer_conf *peers, unsigned len, struct mx_error *err)
{
	struct replication_conf conf = {
		.certificate = "cert.pem", .key = "key.pem", .peers = peers, .peers_count = len
	};
	int rc = replication_conf_check(&conf, err);

	mx_free((void *)(uintptr_t)conf.address);
	return rc;
}

static void refused(struct replication_peer_conf peer, const char *why)
{
	struct mx_error err = { 0 };

	assert_int_equal(check(&peer, 1, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, why));
}

static void nothing_is_needed_where_there_is_nobody(void **state)
{
	struct replication_conf conf = { 0 };

	(void)state;
	assert_int_equal(replication_conf_check(&conf, NULL), 0);
	assert_string_equal(conf.address, "::");
	mx_free((void *)(uintptr_t)conf.address);
}

static void peers_need_a_certificate_of_ours(void **state)
{
	struct replication_peer_conf peer = good_peer();
	struct replication_conf conf = { .address = "::1", .peers = &peer, .peers_count = 1 };
	struct replication_conf listening = { .address = "::1", .port = 1, .key = "key.pem" };

	(void)state;
	assert_int_equal(replication_conf_check(&conf, NULL), -MX_BAD_CONFIG);
	assert_int_equal(replication_conf_check(&listening, NULL), -MX_BAD_CONFIG);
}

static void a_peer_may_be_one_that_only_pushes(void **state)
{
	struct replication_peer_conf peer = good_peer();

	(void)state;
	assert_int_equal(check(&peer, 1, NULL), 0);
	peer.url = NULL;
	assert_int_equal(check(&peer, 1, NULL), 0);
}

static void bad_peers_are_refused(void **state)
{
	struct replication_peer_conf twice[] = { good_peer(), good_peer() };
	static const char *short_keys[] = { "XGX0" };
	struct replication_peer_conf peer = good_peer();
	struct mx_error err = { 0 };

	(void)state;
	peer.name = "no name";
	refused(peer, "no server name");
	peer = good_peer();
	peer.url = "http://peer.test";
	refused(peer, "no https:// URL");
	peer.url = "https://";
	refused(peer, "no https:// URL");
	peer.url = "https://peer.test/?a";
	refused(peer, "no https:// URL");
	peer = good_peer();
	peer.public_keys = short_keys;
	refused(peer, "no public key");
	assert_int_equal(check(twice, 2, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, "twice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_needed_where_there_is_nobody),
		cmocka_unit_test(peers_need_a_certificate_of_ours),
		cmocka_unit_test(a_peer_may_be_one_that_only_pushes),
		cmocka_unit_test(bad_peers_are_refused),
	};
	return cmocka_run_group_tests_name("replication/replication_conf", tests, NULL, NULL);
}

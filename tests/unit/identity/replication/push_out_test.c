/* wrap: net_fetch */
/* What one peer gets, in which order, and what its answers do. */
#include "identity/identity.h"
#include "identity/replication/peers.h"
#include "identity/replication/replication.h"
#include "identity/replication/replication_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/net/net.h"
#include "tests/support/binding_fixture.h"

#include <pthread.h>
#include <stdio.h>

#define PUSHES_MAX 8

/* What the peer has got and says; under lock. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t pushed;
	char ids[PUSHES_MAX][64]; /* "1,2,3" of each push */
	size_t len;
	struct {
		int status;
		const char *body;
	} answers[PUSHES_MAX]; /* status 0: success */
} peer = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, { { 0 } }, 0, { { 0 } } };

void __wrap_net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
		      struct net_response *ret_response);

static void note_ids(const json_t *associations, char ret_ids[64])
{
	const char *id;
	json_t *said;
	size_t len = 0;

	json_object_foreach ((json_t *)(uintptr_t)associations, id, said) {
		assert_non_null(jobj(said, "signatures"));
		len += (size_t)snprintf(ret_ids + len, 64 - len, "%s%s", len ? "," : "", id);
	}
}

void __wrap_net_fetch(struct net *net, const struct net_request *request, struct mx_arena *mem,
		      struct net_response *ret_response)
{
	json_auto_t *body = NULL;
	size_t i;

	(void)net;
	assert_string_equal(request->url, "https://peer.test:1/_matrix/identity/replicate/v1/push");
	assert_int_equal(mx_json_parse(request->body, &mx_json_default_limits, mem, &body, NULL),
			 0);
	pthread_mutex_lock(&peer.lock);
	i = peer.len++;
	assert_true(i < PUSHES_MAX);
	note_ids(jobj(body, "sgAssocs"), peer.ids[i]);
	*ret_response = (struct net_response){
		.status = peer.answers[i].status ? peer.answers[i].status : 200,
		.body = mx_slice(peer.answers[i].body ? peer.answers[i].body : "{}"),
	};
	pthread_cond_broadcast(&peer.pushed);
	pthread_mutex_unlock(&peer.lock);
}

/* ---- */

static struct replication_peer_conf conf_peer = { .name = "peer.test",
						  .url = "https://peer.test:1/" };
static const struct replication_conf conf = { .peers = &conf_peer, .peers_count = 1 };

static void begin(struct binding_fixture *f, struct replication *ret_replication)
{
	memset(peer.ids, 0, sizeof(peer.ids));
	memset(peer.answers, 0, sizeof(peer.answers));
	peer.len = 0;
	binding_fixture_bind(f, "a@example.com", "@a:example.org");
	binding_fixture_bind(f, "b@example.com", "@b:example.org");
	binding_fixture_bind(f, "c@example.com", "@c:example.org");
	*ret_replication = (struct replication){ .identity = &f->identity, .conf = &conf };
}

/* Starts, waits for so many pushes and stops; where the peer is then. */
static uint64_t push_until(struct replication *replication, size_t pushes)
{
	struct pusher *pusher = pusher_start(replication, 0);
	uint64_t number;

	pthread_mutex_lock(&peer.lock);
	while (peer.len < pushes)
		pthread_cond_wait(&peer.pushed, &peer.lock);
	pthread_mutex_unlock(&peer.lock);
	pusher_stop(pusher);
	assert_int_equal(
		replication_db_position(replication->identity->store, "peer.test", &number, NULL),
		0);
	return number;
}

static void all_are_pushed_and_the_position_kept(void **state)
{
	struct replication replication;

	begin(*state, &replication);
	assert_int_equal(push_until(&replication, 1), 3);
	assert_string_equal(peer.ids[0], "1,2,3");
}

static void only_what_is_new_is_pushed_later(void **state)
{
	struct replication replication;

	begin(*state, &replication);
	assert_int_equal(
		replication_db_set_position(replication.identity->store, "peer.test", 1, NULL), 0);
	binding_fixture_bind(*state, "a@example.com", NULL);
	assert_int_equal(push_until(&replication, 1), 4);
	assert_string_equal(peer.ids[0], "2,3,4");
}

static void a_failure_leaves_the_position(void **state)
{
	static const int statuses[] = { 500, 403, 302, 400 };
	struct replication replication;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		begin(*state, &replication);
		peer.answers[0].status = statuses[i];
		assert_int_equal(push_until(&replication, 1), 0);
		assert_int_equal(peer.len, 1);
	}
}

static void the_others_go_without_what_does_not_verify(void **state)
{
	struct replication replication;

	begin(*state, &replication);
	peer.answers[0].status = peer.answers[1].status = 400;
	peer.answers[0].body = "{\"failed_ids\":[\"2\"]}";
	peer.answers[1].body = "{\"failed_ids\":[3]}";
	assert_int_equal(push_until(&replication, 3), 3);
	assert_string_equal(peer.ids[0], "1,2,3");
	assert_string_equal(peer.ids[1], "1,3");
	assert_string_equal(peer.ids[2], "1");
}

static void a_peer_that_verifies_nothing_is_asked_again_later(void **state)
{
	struct replication replication;

	begin(*state, &replication);
	peer.answers[0].status = 400;
	peer.answers[0].body = "{\"failed_ids\":[\"1\",\"2\",\"3\"]}";
	assert_int_equal(push_until(&replication, 1), 0);
	assert_int_equal(peer.len, 1);
}

static void answers_that_make_no_sense_are_failures(void **state)
{
	static const char *const bodies[] = { "", "[]", "{\"failed_ids\":5}",
					      "{\"failed_ids\":[]}" };
	struct replication replication;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		begin(*state, &replication);
		peer.answers[0].status = 400;
		peer.answers[0].body = bodies[i];
		assert_int_equal(push_until(&replication, 1), 0);
		assert_int_equal(peer.len, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(all_are_pushed_and_the_position_kept),
		binding_test(only_what_is_new_is_pushed_later),
		binding_test(a_failure_leaves_the_position),
		binding_test(the_others_go_without_what_does_not_verify),
		binding_test(a_peer_that_verifies_nothing_is_asked_again_later),
		binding_test(answers_that_make_no_sense_are_failures),
	};
	return cmocka_run_group_tests_name("replication/push_out", tests, NULL, NULL);
}

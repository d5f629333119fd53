#include "shared/http/conn.h"

#include "shared/core/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START_MS  INT64_C(1000000)
#define HEADER_MS 10000
#define BODY_MS   30000
#define IDLE_MS   60000

struct room {
	struct conn_registry *registry;
	struct peer_ranges trusted;
	int fds[2];
	struct http_conn *conn;
};

static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in made = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &made.sin_addr), 1);
	return made;
}

static struct http_conn *open_from(struct room *room, const char *text)
{
	struct sockaddr_in from = address(text);

	return conn_open(room->registry, room->fds[0], (struct sockaddr *)&from);
}

static bool may_open_from(struct room *room, const char *text)
{
	struct sockaddr_in from = address(text);

	return conn_may_open(room->registry, (struct sockaddr *)&from);
}

static int set_up(void **state)
{
	static struct room room;
	static const char *const proxies[] = { "192.0.2.9", NULL };
	const struct conn_limits limits = { .total = 5,
					    .per_address = 2,
					    .header_ms = HEADER_MS,
					    .body_ms = BODY_MS,
					    .idle_ms = IDLE_MS };

	mx_time_fake(START_MS, START_MS);
	assert_true(peer_ranges_load(proxies, &room.trusted));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, room.fds), 0);
	room.registry = conn_registry_new(&limits, &room.trusted);
	room.conn = open_from(&room, "192.0.2.1");
	*state = &room;
	return 0;
}

static int tear_down(void **state)
{
	struct room *room = *state;

	conn_close(room->registry, room->conn);
	conn_registry_free(room->registry);
	peer_ranges_done(&room->trusted);
	close(room->fds[0]);
	close(room->fds[1]);
	mx_time_fake(-1, -1);
	return 0;
}

/* What the watchdog sees at START_MS + ms; whether it has ended the connection by then. */
static bool ended_at(struct room *room, int64_t ms)
{
	char byte;

	mx_time_fake(START_MS + ms, START_MS + ms);
	conn_watch(room->registry, START_MS + ms);
	return recv(room->fds[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void enter(struct room *room, enum conn_phase phase, int64_t ms)
{
	conn_set_phase(room->conn, phase);
	assert_false(ended_at(room, ms));
}

static void the_first_header_has_a_deadline(void **state)
{
	assert_false(ended_at(*state, HEADER_MS));
	assert_true(ended_at(*state, HEADER_MS + 1));
	assert_int_equal(conn_late_count(((struct room *)*state)->registry), 1);
}

static void an_ended_connection_is_counted_once(void **state)
{
	assert_true(ended_at(*state, HEADER_MS + 1));
	ended_at(*state, 2 * HEADER_MS);
	assert_int_equal(conn_late_count(((struct room *)*state)->registry), 1);
}

static void handlers_may_take_their_time(void **state)
{
	enter(*state, CONN_BUSY, 10);
	assert_false(ended_at(*state, 100 * IDLE_MS));
}

static void idling_ends(void **state)
{
	enter(*state, CONN_IDLE, 10);
	assert_false(ended_at(*state, 10 + IDLE_MS));
	assert_true(ended_at(*state, 11 + IDLE_MS));
}

static void every_request_starts_the_idle_time_again(void **state)
{
	enter(*state, CONN_IDLE, 10);
	enter(*state, CONN_IDLE, IDLE_MS);
	assert_false(ended_at(*state, 2 * IDLE_MS));
	assert_true(ended_at(*state, 2 * IDLE_MS + 1));
}

static void a_body_that_stops_ends(void **state)
{
	enter(*state, CONN_BODY, 10);
	assert_false(ended_at(*state, 9 + BODY_MS));
	assert_true(ended_at(*state, 10 + BODY_MS));
}

static void a_body_must_keep_a_rate(void **state)
{
	struct room *room = *state;

	enter(room, CONN_BODY, 0);
	conn_add_received(room->conn, 1024 * BODY_MS / 1000);
	assert_false(ended_at(room, BODY_MS));
	/* The next window begins there, and what came before does not count. */
	conn_add_received(room->conn, 1024 * BODY_MS / 1000 - 1);
	assert_false(ended_at(room, 2 * BODY_MS - 1));
	assert_true(ended_at(room, 2 * BODY_MS));
}

static void an_address_has_only_so_many(void **state)
{
	struct room *room = *state;
	struct http_conn *second = open_from(room, "192.0.2.1");

	assert_false(may_open_from(room, "192.0.2.1"));
	assert_true(may_open_from(room, "192.0.2.2"));
	assert_int_equal(conn_refused_count(room->registry), 1);
	conn_close(room->registry, second);
	assert_true(may_open_from(room, "192.0.2.1"));
}

static void loopback_and_unix_sockets_are_not_counted_by_address(void **state)
{
	struct room *room = *state;
	struct http_conn *more[] = { open_from(room, "127.0.0.1"), open_from(room, "127.0.0.1"),
				     conn_open(room->registry, room->fds[0], NULL) };

	assert_true(may_open_from(room, "127.0.0.1"));
	assert_true(conn_may_open(room->registry, NULL));
	for (size_t i = 0; i < 3; i++)
		conn_close(room->registry, more[i]);
}

static void all_together_have_only_so_many(void **state)
{
	struct room *room = *state;
	struct http_conn *more[4];

	for (size_t i = 0; i < 4; i++)
		more[i] = open_from(room, "127.0.0.1");
	assert_int_equal(conn_count(room->registry), 5);
	assert_false(may_open_from(room, "127.0.0.1"));
	assert_false(may_open_from(room, "192.0.2.2"));
	for (size_t i = 0; i < 4; i++)
		conn_close(room->registry, more[i]);
	assert_true(may_open_from(room, "192.0.2.2"));
}

static void only_our_proxies_are_trusted(void **state)
{
	struct room *room = *state;
	struct http_conn *proxy = open_from(room, "192.0.2.9");

	assert_true(proxy->trusted);
	assert_false(room->conn->trusted);
	assert_string_equal(proxy->client, "192.0.2.9");
	conn_close(room->registry, proxy);
}

static void only_requests_under_way_are_active(void **state)
{
	static const enum conn_phase phases[] = { CONN_OPEN, CONN_BODY, CONN_BUSY, CONN_REPLY,
						  CONN_IDLE };
	static const unsigned active[] = { 0, 1, 1, 1, 0 };
	struct room *room = *state;

	for (size_t i = 0; i < 5; i++) {
		conn_set_phase(room->conn, phases[i]);
		assert_int_equal(conn_active_count(room->registry), active[i]);
	}
}

#define conn_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		conn_test(the_first_header_has_a_deadline),
		conn_test(an_ended_connection_is_counted_once),
		conn_test(handlers_may_take_their_time),
		conn_test(idling_ends),
		conn_test(every_request_starts_the_idle_time_again),
		conn_test(a_body_that_stops_ends),
		conn_test(a_body_must_keep_a_rate),
		conn_test(an_address_has_only_so_many),
		conn_test(loopback_and_unix_sockets_are_not_counted_by_address),
		conn_test(all_together_have_only_so_many),
		conn_test(only_our_proxies_are_trusted),
		conn_test(only_requests_under_way_are_active),
	};
	return cmocka_run_group_tests_name("http/conn", tests, NULL, NULL);
}

/*
 * From a message to the other side's /sync: sync_probe PORT TALKER READER ROOM PER_SECOND SECONDS
 * NAME sends messages at a steady pace, with the access token TALKER, while somebody with the token
 * READER waits in /sync, and prints the microseconds that each took, from the moment when
 * it was due until the whole answer with it was read. ROOM is as it stands in a path; NAME begins
 * the transaction ids.
 */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGES_MAX 100000
#define ANSWER_MAX   (1024u * 1024)
#define ANSWER_MS    60000

/* Only the timelines of rooms: nothing else is news. */
static const char filter[] = "%7B%22room%22:%7B%22ephemeral%22:%7B%22types%22:%5B%5D%7D%7D,"
			     "%22presence%22:%7B%22types%22:%5B%5D%7D%7D";

static void fail(const char *what)
{
	fprintf(stderr, "sync_probe: %s\n", what);
	exit(1);
}

/* ---- a connection with one request under way */

struct wire {
	int fd;
	size_t len;
	bool answered; /* the whole answer is in text */
	char text[ANSWER_MAX + 1];
};

static struct wire *wire_new(int64_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct wire *wire = mx_calloc(1, sizeof(*wire));
	const struct timeval patience = { .tv_sec = ANSWER_MS / 1000 };
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	wire->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (wire->fd < 0 ||
	    connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		fail("it cannot connect");
	setsockopt(wire->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return wire;
}

static void wire_ask(struct wire *wire, const char *request)
{
	size_t len = strlen(request);

	wire->len = 0;
	wire->answered = false;
	if (write(wire->fd, request, len) != (ssize_t)len)
		fail("a request cannot be sent");
}

/* The body's pieces one behind the other. Who measures trusts whom it measures. */
static void join_chunks(char *body)
{
	char *from = body, *to = body;
	size_t len;

	while ((len = strtoul(from, &from, 16)) > 0) {
		memmove(to, from + 2, len);
		to += len;
		from += len + 4;
	}
	*to = '\0';
}

static bool is_whole(struct wire *wire)
{
	char *end = strstr(wire->text, "\r\n\r\n"), *body = end ? end + 4 : NULL;
	const char *length = strstr(wire->text, "Content-Length: ");
	const char *chunked = strstr(wire->text, "Transfer-Encoding: chunked");

	if (!body)
		return false;
	if (length && length < end)
		return strlen(body) >= strtoul(length + 16, NULL, 10);
	if (!chunked || !mx_ends_with(body, "0\r\n\r\n"))
		return false;
	join_chunks(body);
	return true;
}

static void wire_read(struct wire *wire)
{
	ssize_t got = read(wire->fd, wire->text + wire->len, ANSWER_MAX - wire->len);

	if (got <= 0)
		fail("a connection ended, or was silent for too long");
	wire->len += (size_t)got;
	wire->text[wire->len] = '\0';
	wire->answered = is_whole(wire);
	if (wire->answered && !mx_starts_with(wire->text, "HTTP/1.1 200 "))
		fail(wire->text);
}

/* ---- what is asked */

struct probe {
	const char *talker, *reader, *room, *name;
	struct wire *said, *synced;
	char *since; /* next_batch of the last answer; "" at first */
};

static void wait_for_news(struct probe *probe)
{
	mx_autofree char *request = mx_strf(
		"GET /_matrix/client/v3/sync?timeout=30000&filter=%s%s%s HTTP/1.1\r\n"
		"Host: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
		filter, *probe->since ? "&since=" : "", probe->since, probe->reader);

	wire_ask(probe->synced, request);
}

static void take_token(struct probe *probe)
{
	static const char name[] = "\"next_batch\":\"";
	const char *found = strstr(probe->synced->text, name);
	const char *token = found ? found + strlen(name) : NULL, *end = token;

	while (end && *end && *end != '"')
		end++;
	if (!end || !*end)
		fail("an answer of /sync has no next_batch");
	mx_free(probe->since);
	probe->since = mx_strndup(token, (size_t)(end - token));
}

static void say(struct probe *probe, size_t number)
{
	mx_autofree char *body = mx_strf("{\"msgtype\":\"m.text\",\"body\":\"%s-%zu.\"}",
					 probe->name, number);
	mx_autofree char *request = mx_strf(
		"PUT /_matrix/client/v3/rooms/%s/send/m.room.message/%s-%zu HTTP/1.1\r\n"
		"Host: localhost\r\nAuthorization: Bearer %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		probe->room, probe->name, number, probe->talker, strlen(body), body);

	wire_ask(probe->said, request);
}

/* ---- one message */

static void wait_on(struct wire *one, struct wire *other)
{
	struct pollfd fds[] = { { .fd = one->fd, .events = POLLIN },
				{ .fd = other->fd, .events = POLLIN } };

	if (poll(fds, 2, ANSWER_MS) <= 0)
		fail("an answer does not come");
	if (fds[0].revents)
		wire_read(one);
	if (fds[1].revents)
		wire_read(other);
}

/* Until somebody who waits has the message, and the answer to it is there. Other answers of /sync
 * are asked on from. */
static int64_t deliver(struct probe *probe, size_t number)
{
	mx_autofree char *mark = mx_strf("%s-%zu.", probe->name, number);
	int64_t came_us = 0;

	say(probe, number);
	while (!came_us || !probe->said->answered) {
		wait_on(probe->synced, probe->said);
		if (!probe->synced->answered)
			continue;
		if (!came_us && strstr(probe->synced->text, mark))
			came_us = mx_mono_us();
		take_token(probe);
		wait_for_news(probe);
	}
	return came_us;
}

/* ---- all of them */

static void wait_until_us(int64_t due_us)
{
	struct timespec due = { due_us / 1000000, due_us % 1000000 * 1000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void begin(struct probe *probe)
{
	wait_for_news(probe);
	while (!probe->synced->answered)
		wire_read(probe->synced);
	take_token(probe);
	wait_for_news(probe);
}

static void run(struct probe *probe, int64_t per_second, size_t len)
{
	int64_t *took_us = mx_calloc(len, sizeof(*took_us)), due_us;

	begin(probe);
	due_us = mx_mono_us();
	for (size_t i = 0; i < len; i++, due_us += 1000000 / per_second) {
		wait_until_us(due_us);
		took_us[i] = deliver(probe, i) - due_us;
	}
	for (size_t i = 0; i < len; i++)
		printf("%lld\n", (long long)took_us[i]);
	mx_free(took_us);
}

int main(int argc, char **argv)
{
	int64_t port, per_second, seconds;
	struct probe probe;

	if (argc != 8 || !mx_parse_i64(mx_slice(argv[1]), &port) ||
	    !mx_parse_i64(mx_slice(argv[5]), &per_second) ||
	    !mx_parse_i64(mx_slice(argv[6]), &seconds) || per_second < 1 || seconds < 1 ||
	    per_second * seconds > MESSAGES_MAX) {
		fprintf(stderr, "usage: sync_probe PORT TALKER READER ROOM PER_SECOND SECONDS "
				"NAME\n");
		return 2;
	}
	probe = (struct probe){ .talker = argv[2],
				.reader = argv[3],
				.room = argv[4],
				.name = argv[7],
				.said = wire_new(port),
				.synced = wire_new(port),
				.since = mx_strdup("") };
	run(&probe, per_second, (size_t)(per_second * seconds));
	mx_free(probe.since);
	mx_free(probe.said);
	mx_free(probe.synced);
	return 0;
}

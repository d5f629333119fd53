/*
 * Latency at a steady pace: http_probe PORT TARGET PER_SECOND SECONDS [TIMES] asks over one kept
 * connection and prints "name value" lines. Each request counts from the moment when it was due, so
 * that a slow answer is not hidden by the requests that had to wait for it. TARGET is what to GET,
 * or @FILE: whole requests, each behind a line with its length, asked in turn. TIMES is a file for
 * the nanoseconds that each took from its sending, one a line.
 */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX   1000000
#define ANSWER_MAX     65536
#define DIFFERENT_MAX  4096
#define FILE_BYTES_MAX (64u * 1024 * 1024)

static int open_connection(int64_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("http_probe");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void wait_until_us(int64_t due_us)
{
	struct timespec due = { due_us / 1000000, due_us % 1000000 * 1000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

/* The bytes of the whole answer once its header is there, else 0. */
static size_t answer_len(const char *text, size_t len)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	const char *length = memmem(text, len, "Content-Length: ", 16);

	if (!end || !length)
		return 0;
	return (size_t)(end - text) + 4 + strtoul(length + 16, NULL, 10);
}

static bool read_answer(int fd)
{
	static char text[ANSWER_MAX + 1];
	size_t len = 0, whole = 0;

	while (whole == 0 || len < whole) {
		ssize_t got = read(fd, text + len, ANSWER_MAX - len);

		if (got <= 0)
			return false;
		len += (size_t)got;
		text[len] = '\0';
		whole = answer_len(text, len);
	}
	return mx_starts_with(text, "HTTP/1.1 200 ");
}

static bool ask(int fd, struct mx_slice request)
{
	return write(fd, request.ptr, request.len) == (ssize_t)request.len && read_answer(fd);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- what is asked */

struct requests {
	struct mx_slice items[DIFFERENT_MAX];
	size_t len;
	char *text; /* of all of them */
};

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *text = mx_alloc(FILE_BYTES_MAX);

	if (!file) {
		perror(path);
		exit(1);
	}
	*ret_len = fread(text, 1, FILE_BYTES_MAX, file);
	fclose(file);
	return text;
}

static void split(struct requests *requests, struct mx_slice rest)
{
	while (rest.len && requests->len < DIFFERENT_MAX) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t head = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
		size_t len = strtoul(rest.ptr, NULL, 10);

		if (len == 0 || len > rest.len - head) {
			fprintf(stderr, "http_probe: that is no file of requests\n");
			exit(1);
		}
		requests->items[requests->len++] = (struct mx_slice){ rest.ptr + head, len };
		rest.ptr += head + len;
		rest.len -= head + len;
	}
}

static void load_requests(struct requests *requests, const char *target)
{
	size_t len;

	*requests = (struct requests){ 0 };
	if (*target == '@') {
		requests->text = read_file(target + 1, &len);
		split(requests, (struct mx_slice){ requests->text, len });
		return;
	}
	requests->text = mx_strf("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
	requests->items[requests->len++] = mx_slice(requests->text);
}

/* ---- figures */

static int compare(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void print_percentiles(int64_t *took_us, size_t len)
{
	qsort(took_us, len, sizeof(*took_us), compare);
	printf("requests %zu\n", len);
	printf("p50_us %lld\n", (long long)took_us[len / 2]);
	printf("p99_us %lld\n", (long long)took_us[len * 99 / 100]);
	printf("max_us %lld\n", (long long)took_us[len - 1]);
}

static void write_times(const char *path, const int64_t *took_ns, size_t len)
{
	FILE *file = fopen(path, "w");

	if (!file) {
		perror(path);
		exit(1);
	}
	for (size_t i = 0; i < len; i++)
		fprintf(file, "%lld\n", (long long)took_ns[i]);
	fclose(file);
}

struct plan {
	int fd;
	const struct requests *requests;
	int64_t interval_us;
	size_t len;
	const char *times; /* may be NULL */
};

static bool probe(const struct plan *plan)
{
	int64_t *took_us = mx_calloc(plan->len, sizeof(*took_us)), due_us = mx_mono_us();
	int64_t *took_ns = mx_calloc(plan->len, sizeof(*took_ns));

	for (size_t i = 0; i < plan->len; i++, due_us += plan->interval_us) {
		int64_t sent_ns;

		wait_until_us(due_us);
		sent_ns = now_ns();
		if (!ask(plan->fd, plan->requests->items[i % plan->requests->len])) {
			fprintf(stderr, "http_probe: request %zu was not answered with 200\n", i);
			return false;
		}
		took_ns[i] = now_ns() - sent_ns;
		took_us[i] = mx_mono_us() - due_us;
	}
	if (plan->times)
		write_times(plan->times, took_ns, plan->len);
	print_percentiles(took_us, plan->len);
	mx_free(took_us);
	mx_free(took_ns);
	return true;
}

int main(int argc, char **argv)
{
	int64_t port, per_second, seconds;
	struct requests requests;
	struct plan plan = { .requests = &requests };
	bool good;

	if (argc < 5 || argc > 6 || !mx_parse_i64(mx_slice(argv[1]), &port) ||
	    !mx_parse_i64(mx_slice(argv[3]), &per_second) ||
	    !mx_parse_i64(mx_slice(argv[4]), &seconds) || per_second < 1 || seconds < 1 ||
	    per_second * seconds > REQUESTS_MAX) {
		fprintf(stderr, "usage: http_probe PORT TARGET|@FILE PER_SECOND SECONDS [TIMES]\n");
		return 2;
	}
	load_requests(&requests, argv[2]);
	plan.interval_us = 1000000 / per_second;
	plan.len = (size_t)(per_second * seconds);
	plan.times = argc == 6 ? argv[5] : NULL;
	plan.fd = open_connection(port);
	good = probe(&plan);
	mx_free(requests.text);
	return good ? 0 : 1;
}

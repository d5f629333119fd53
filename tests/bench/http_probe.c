/*
 * Latency at a steady pace: http_probe PORT TARGET PER_SECOND SECONDS asks over one kept connection
 * and prints "name value" lines. Each request counts from the moment when it was due, so that a
 * slow answer is not hidden by the requests that had to wait for it.
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

#define REQUESTS_MAX 1000000
#define ANSWER_MAX   65536

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

static int probe(int fd, const char *target, int64_t interval_us, size_t len)
{
	mx_autofree char *request = mx_strf("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
	int64_t *took_us = mx_calloc(len, sizeof(*took_us)), due_us = mx_mono_us();

	for (size_t i = 0; i < len; i++, due_us += interval_us) {
		wait_until_us(due_us);
		if (!ask(fd, mx_slice(request))) {
			fprintf(stderr, "http_probe: request %zu was not answered with 200\n", i);
			return 1;
		}
		took_us[i] = mx_mono_us() - due_us;
	}
	print_percentiles(took_us, len);
	mx_free(took_us);
	return 0;
}

int main(int argc, char **argv)
{
	int64_t port, per_second, seconds;

	if (argc != 5 || !mx_parse_i64(mx_slice(argv[1]), &port) ||
	    !mx_parse_i64(mx_slice(argv[3]), &per_second) ||
	    !mx_parse_i64(mx_slice(argv[4]), &seconds) || per_second < 1 || seconds < 1 ||
	    per_second * seconds > REQUESTS_MAX) {
		fprintf(stderr, "usage: http_probe PORT TARGET PER_SECOND SECONDS\n");
		return 2;
	}
	return probe(open_connection(port), argv[2], 1000000 / per_second,
		     (size_t)(per_second * seconds));
}

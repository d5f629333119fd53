/* The least that libmicrohttpd can do: one response object for every request. What our server
 * costs above it is what the dispatcher costs.
 * http_bare PORT THREADS BODY_FILE [CERTIFICATE KEY] prints "ready PORT" and serves until EOF on
 * its standard input. */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/http/cors.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY_LIMIT (16 * 1024) /* as in shared/http/listener.c */

static enum MHD_Result answer(void *cls, struct MHD_Connection *mhd, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_len, void **context)
{
	static int seen;

	(void)url, (void)method, (void)version, (void)data;
	if (!*context) {
		*context = &seen;
		return MHD_YES;
	}
	if (*data_len > 0) {
		*data_len = 0;
		return MHD_YES;
	}
	return MHD_queue_response(mhd, MHD_HTTP_OK, cls);
}

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	mx_str_auto text = { 0 };
	char buffer[4096];
	size_t len;

	if (!file) {
		perror(path);
		exit(1);
	}
	while ((len = fread(buffer, 1, sizeof(buffer), file)) > 0)
		mx_str_add(&text, buffer, len);
	fclose(file);
	*ret_len = text.len;
	return mx_str_steal(&text);
}

/* The headers that a reply_body has. */
static struct MHD_Response *response_new(const char *path)
{
	size_t len;
	mx_autofree char *body = read_file(path, &len);
	struct MHD_Response *response = MHD_create_response_from_buffer(len, body,
									MHD_RESPMEM_MUST_COPY);

	MHD_add_response_header(response, "Content-Type", "application/json");
	hardening_add(response, false);
	cors_add(response);
	return response;
}

static struct MHD_Daemon *daemon_start(char **argv, bool tls, struct MHD_Response *response)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int64_t port = 0, threads = 1;
	struct MHD_OptionItem options[4] = { { MHD_OPTION_END, 0, NULL } };
	unsigned len = 0;
	size_t ignored;

	mx_parse_i64(mx_slice(argv[1]), &port);
	mx_parse_i64(mx_slice(argv[2]), &threads);
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (threads > 1)
		options[len++] = (struct MHD_OptionItem){ MHD_OPTION_THREAD_POOL_SIZE, threads,
							  NULL };
	if (tls) {
		options[len++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
							  read_file(argv[4], &ignored) };
		options[len++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0,
							  read_file(argv[5], &ignored) };
	}
	options[len] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO |
					(tls ? MHD_USE_TLS : 0),
				0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR, &address,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_LIMIT,
				MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	struct MHD_Response *response;
	struct MHD_Daemon *daemon;
	char byte;

	if (argc != 4 && argc != 6) {
		fputs("http_bare PORT THREADS BODY_FILE [CERTIFICATE KEY]\n", stderr);
		return 2;
	}
	response = response_new(argv[3]);
	daemon = daemon_start(argv, argc == 6, response);
	if (!daemon)
		return 1;
	printf("ready %u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}

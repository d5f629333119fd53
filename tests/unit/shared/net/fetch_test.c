#include "shared/net/net.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Accepts connections, in the kernel, and never says a word. */
struct silence {
	int socket;
	char *url;
};

static struct silence silence_new(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct silence silence = { .socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(silence.socket, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(silence.socket, 8), 0);
	assert_int_equal(getsockname(silence.socket, (struct sockaddr *)&address, &len), 0);
	silence.url = mx_strf("http://127.0.0.1:%u/", ntohs(address.sin_port));
	return silence;
}

static struct net *open_net(void)
{
	static const char *const allow[] = { "127.0.0.0/8", NULL };
	struct net *net;

	assert_int_equal(net_new(&(struct net_conf){ .allow = allow }, &net, NULL), 0);
	return net;
}

static int fetch(struct net *net, int64_t total_ms, const _Atomic bool *hurry)
{
	struct silence silence = silence_new();
	struct mx_arena *mem = mx_arena_new(0);
	const struct net_request request = {
		.url = silence.url,
		.total_ms = total_ms,
		.hurry = hurry,
	};
	struct net_response response;
	int rc;

	net_fetch(net, &request, mem, &response);
	rc = response.rc;
	assert_true(response.err.text[0] != '\0');
	close(silence.socket);
	mx_free(silence.url);
	mx_arena_free(mem);
	return rc;
}

static void who_is_in_a_hurry_does_not_wait(void **state)
{
	const _Atomic bool hurry = true;
	struct net *net = open_net();

	(void)state;
	assert_int_equal(fetch(net, 60000, &hurry), -MX_BUSY);
	net_free(net);
}

static void who_is_in_no_hurry_waits(void **state)
{
	const _Atomic bool hurry = false;
	struct net *net = open_net();

	(void)state;
	assert_int_equal(fetch(net, 200, &hurry), -MX_REMOTE_TIMEOUT);
	assert_int_equal(fetch(net, 50, NULL), -MX_REMOTE_TIMEOUT);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_in_a_hurry_does_not_wait),
		cmocka_unit_test(who_is_in_no_hurry_waits),
	};
	return cmocka_run_group_tests_name("net/fetch", tests, NULL, NULL);
}

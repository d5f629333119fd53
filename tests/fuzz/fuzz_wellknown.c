/* A /.well-known/matrix/server answer: header lines, an empty line, the body. Whatever is accepted
 * is a server name that the body spells out, and nothing is kept for a negative time. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/id/server_name.h"
#include "shared/net/wellknown_answer.h"

#include <string.h>

#define NOW_MS INT64_C(784111777000)

static void check_headers(struct mx_slice headers)
{
	struct net_freshness fresh = net_wellknown_freshness(headers, NOW_MS);

	FUZZ_ASSERT(fresh.lifetime_ms >= 0);
	FUZZ_ASSERT(fresh.given || fresh.lifetime_ms == 0);
}

static void check_body(struct mx_slice body, struct mx_arena *mem)
{
	const char *server = NULL;
	mx_str_auto again = { 0 };
	const char *same = NULL;

	if (net_wellknown_parse(body, mem, &server, NULL) != 0) {
		FUZZ_ASSERT(!server);
		return;
	}
	FUZZ_ASSERT(body.len <= NET_WELLKNOWN_BYTES);
	FUZZ_ASSERT(mx_server_name_valid(mx_slice(server)));
	mx_str_addf(&again, "{\"m.server\":\"%s\"}", server);
	FUZZ_ASSERT(net_wellknown_parse(mx_str_slice(&again), mem, &same, NULL) == 0);
	FUZZ_ASSERT(strcmp(server, same) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char gap[] = "\n\n";
	mx_arena_auto *mem = mx_arena_new(0);
	const char *text = size ? (const char *)data : "";
	const char *end = memmem(text, size, gap, strlen(gap));
	size_t headers_len = end ? (size_t)(end - text) + 1 : 0;
	size_t body_at = end ? headers_len + 1 : 0;

	check_headers(mx_slice_of(text, headers_len));
	check_body(mx_slice_of(text + body_at, size - body_at), mem);
	return 0;
}

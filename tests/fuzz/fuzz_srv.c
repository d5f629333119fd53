/* SRV records in a DNS message: the first four bytes are the chance, the rest the message. What is
 * read has usable targets; ordering loses none and goes by priority. */
#include "tests/fuzz/fuzz.h"

#include "shared/net/srv.h"

#include <string.h>

#define SEED_BYTES 4

static uint32_t chance_below(void *ctx, uint32_t bound)
{
	uint32_t *state = ctx;

	*state = *state * 1664525u + 1013904223u;
	return *state % bound;
}

static uint64_t sum_of(const struct net_srv *srvs, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += ((uint64_t)srvs[i].priority << 32) + ((uint32_t)srvs[i].weight << 16) +
		       srvs[i].port + strlen(srvs[i].target);
	return sum;
}

static void check_target(const char *target)
{
	FUZZ_ASSERT(strlen(target) < NET_SRV_TARGET_MAX);
	for (const char *c = target; *c; c++)
		FUZZ_ASSERT(*c > ' ' && *c <= 'z' && *c != '/' && *c != '@' && *c != ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_srv srvs[NET_SRV_MAX];
	uint32_t seed, ttl;
	uint64_t sum;
	size_t len;

	if (size < SEED_BYTES)
		return 0;
	memcpy(&seed, data, SEED_BYTES);
	if (!net_srv_parse(mx_slice_of(data + SEED_BYTES, size - SEED_BYTES), srvs, &len, &ttl))
		return 0;
	FUZZ_ASSERT(len <= NET_SRV_MAX);
	for (size_t i = 0; i < len; i++)
		check_target(srvs[i].target);
	sum = sum_of(srvs, len);
	net_srv_order(srvs, len, chance_below, &seed);
	FUZZ_ASSERT(sum == sum_of(srvs, len));
	for (size_t i = 1; i < len; i++)
		FUZZ_ASSERT(srvs[i - 1].priority <= srvs[i].priority);
	return 0;
}

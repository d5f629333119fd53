#include "shared/net/srv.h"

#include "shared/core/str.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1035, 4.1: the fixed parts of header, question and record; RFC 2782: of the data. */
enum { HEADER_LEN = 12, QUESTION_TAIL = 4, RECORD_TAIL = 10, SRV_HEAD = 6, TYPE_SRV = 33 };

struct reader {
	struct mx_slice message;
	size_t at;
};

static uint16_t u16_at(const struct reader *reader, size_t at)
{
	const uint8_t *bytes = (const uint8_t *)reader->message.ptr + at;

	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool has(const struct reader *reader, size_t len)
{
	return len <= reader->message.len - reader->at;
}

/* A possibly compressed name, which is stepped over; ret_name (ares_free_string) may be NULL. */
static bool name_read(struct reader *reader, char **ret_name)
{
	const unsigned char *bytes = (const unsigned char *)reader->message.ptr;
	char *name = NULL;
	long len = 0;

	if (!has(reader, 1) || ares_expand_name(bytes + reader->at, bytes, (int)reader->message.len,
						&name, &len) != ARES_SUCCESS)
		return false;
	reader->at += (size_t)len;
	if (ret_name)
		*ret_name = name;
	else
		ares_free_string(name);
	return true;
}

static bool target_valid(const char *target)
{
	static const char usable[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_.";

	return strlen(target) < NET_SRV_TARGET_MAX && target[strspn(target, usable)] == '\0';
}

/* False if malformed. */
static bool data_read(struct reader *reader, struct net_srv *ret_srv, bool *ret_usable)
{
	struct net_srv srv = { 0 };
	char *target;

	if (!has(reader, SRV_HEAD))
		return false;
	srv.priority = u16_at(reader, reader->at);
	srv.weight = u16_at(reader, reader->at + 2);
	srv.port = u16_at(reader, reader->at + 4);
	reader->at += SRV_HEAD;
	if (!name_read(reader, &target))
		return false;
	*ret_usable = target_valid(target);
	if (*ret_usable) {
		memcpy(srv.target, target, strlen(target));
		*ret_srv = srv;
	}
	ares_free_string(target);
	return true;
}

static bool record_read(struct reader *reader, struct net_srv ret_srvs[NET_SRV_MAX],
			size_t *ret_len, uint32_t *ret_ttl)
{
	size_t end, start;
	uint32_t ttl;
	bool usable = false;

	if (!name_read(reader, NULL) || !has(reader, RECORD_TAIL))
		return false;
	start = reader->at;
	ttl = (uint32_t)u16_at(reader, start + 4) << 16 | u16_at(reader, start + 6);
	end = start + RECORD_TAIL + u16_at(reader, start + 8);
	reader->at += RECORD_TAIL;
	if (end > reader->message.len)
		return false;
	if (u16_at(reader, start) == TYPE_SRV && *ret_len < NET_SRV_MAX) {
		if (!data_read(reader, &ret_srvs[*ret_len], &usable) || reader->at != end)
			return false;
		*ret_len += usable;
		*ret_ttl = ttl < *ret_ttl ? ttl : *ret_ttl;
	}
	reader->at = end;
	return true;
}

bool net_srv_parse(struct mx_slice message, struct net_srv ret_srvs[NET_SRV_MAX], size_t *ret_len,
		   uint32_t *ret_ttl)
{
	struct reader reader = { message, HEADER_LEN };
	unsigned questions, answers;

	*ret_len = 0;
	*ret_ttl = UINT32_MAX;
	if (message.len < HEADER_LEN || message.len > UINT16_MAX)
		return false;
	questions = u16_at(&reader, 4);
	answers = u16_at(&reader, 6);
	for (unsigned i = 0; i < questions; i++) {
		if (!name_read(&reader, NULL) || !has(&reader, QUESTION_TAIL))
			return false;
		reader.at += QUESTION_TAIL;
	}
	for (unsigned i = 0; i < answers; i++)
		if (!record_read(&reader, ret_srvs, ret_len, ret_ttl))
			return false;
	return true;
}

/* Those of weight 0 stand first among equals, so that they have a small chance only. */
static int compare(const void *a, const void *b)
{
	const struct net_srv *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	return (left->weight > 0) - (right->weight > 0);
}

static size_t pick(const struct net_srv *srvs, size_t len, uint32_t chance)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += srvs[i].weight;
		if (sum >= chance)
			return i;
	}
	return len - 1;
}

static void shuffle(struct net_srv *srvs, size_t len, uint32_t (*below)(void *ctx, uint32_t bound),
		    void *ctx)
{
	for (; len > 1; srvs++, len--) {
		struct net_srv chosen;
		uint32_t sum = 0;
		size_t i;

		for (i = 0; i < len; i++)
			sum += srvs[i].weight;
		i = pick(srvs, len, below(ctx, sum + 1));
		chosen = srvs[i];
		memmove(srvs + 1, srvs, i * sizeof(*srvs));
		srvs[0] = chosen;
	}
}

void net_srv_order(struct net_srv *srvs, size_t len, uint32_t (*below)(void *ctx, uint32_t bound),
		   void *ctx)
{
	size_t start = 0;

	qsort(srvs, len, sizeof(*srvs), compare);
	for (size_t i = 1; i <= len; i++) {
		if (i < len && srvs[i].priority == srvs[start].priority)
			continue;
		shuffle(srvs + start, i - start, below, ctx);
		start = i;
	}
}

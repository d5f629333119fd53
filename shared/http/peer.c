#include "shared/http/peer.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xFF, [11] = 0xFF };

static struct peer peer_of_v4(const void *four_bytes)
{
	struct peer peer = { .is_ip = true };

	memcpy(peer.address, mapped_prefix, 12);
	memcpy(peer.address + 12, four_bytes, 4);
	return peer;
}

static struct peer peer_of_v6(const void *bytes)
{
	struct peer peer = { .is_ip = true };

	memcpy(peer.address, bytes, 16);
	return peer;
}

static bool is_v4(const struct peer *peer)
{
	return memcmp(peer->address, mapped_prefix, 12) == 0;
}

struct peer peer_of(const struct sockaddr *address)
{
	if (address && address->sa_family == AF_INET)
		return peer_of_v4(&((const struct sockaddr_in *)address)->sin_addr);
	if (address && address->sa_family == AF_INET6)
		return peer_of_v6(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return (struct peer){ 0 };
}

bool peer_parse(struct mx_slice text, struct peer *ret_peer)
{
	char copy[PEER_TEXT_MAX];
	uint8_t bytes[16];

	if (text.len >= 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
		text = mx_slice_of(text.ptr + 1, text.len - 2);
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		*ret_peer = peer_of_v4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*ret_peer = peer_of_v6(bytes);
	else
		return false;
	return true;
}

void peer_format(const struct peer *peer, char ret_text[PEER_TEXT_MAX])
{
	if (!peer->is_ip)
		snprintf(ret_text, PEER_TEXT_MAX, "unix");
	else if (is_v4(peer))
		inet_ntop(AF_INET, peer->address + 12, ret_text, PEER_TEXT_MAX);
	else
		inet_ntop(AF_INET6, peer->address, ret_text, PEER_TEXT_MAX);
}

bool peer_is_loopback(const struct peer *peer)
{
	static const uint8_t one[16] = { [15] = 1 };

	return peer->is_ip &&
	       (is_v4(peer) ? peer->address[12] == 127 : memcmp(peer->address, one, 16) == 0);
}

struct mx_slice peer_key(const struct peer *peer)
{
	return mx_slice_of(peer->address, is_v4(peer) ? 16 : 8);
}

bool peer_range_parse(const char *text, struct peer_range *ret_range)
{
	struct mx_slice rest = mx_slice(text), address, bits;
	struct peer_range range;
	int64_t number, most;

	if (!mx_split_next(&rest, '/', &address) || !peer_parse(address, &range.base))
		return false;
	most = is_v4(&range.base) ? 32 : 128;
	number = most;
	if (mx_split_next(&rest, '/', &bits) &&
	    (!mx_parse_i64(bits, &number) || number < 0 || number > most || rest.ptr))
		return false;
	range.bits = (unsigned)(number + 128 - most);
	*ret_range = range;
	return true;
}

bool peer_in_range(const struct peer *peer, const struct peer_range *range)
{
	unsigned bytes = range->bits / 8, bits = range->bits % 8;

	if (!peer->is_ip || memcmp(peer->address, range->base.address, bytes) != 0)
		return false;
	return bits == 0 || (peer->address[bytes] ^ range->base.address[bytes]) >> (8 - bits) == 0;
}

bool peer_ranges_load(const char *const *texts, struct peer_ranges *ret_ranges)
{
	struct peer_ranges ranges = { 0 };
	unsigned count = 0;

	while (texts && texts[count])
		count++;
	ranges.items = mx_calloc(count + 1, sizeof(*ranges.items));
	for (; ranges.len < count; ranges.len++) {
		if (!peer_range_parse(texts[ranges.len], &ranges.items[ranges.len])) {
			peer_ranges_done(&ranges);
			return false;
		}
	}
	*ret_ranges = ranges;
	return true;
}

void peer_ranges_done(struct peer_ranges *ranges)
{
	mx_free(ranges->items);
	*ranges = (struct peer_ranges){ 0 };
}

bool peer_ranges_have(const struct peer_ranges *ranges, const struct peer *peer)
{
	for (unsigned i = 0; i < ranges->len; i++)
		if (peer_in_range(peer, &ranges->items[i]))
			return true;
	return false;
}

/* Takes the piece behind the last comma off. */
static struct mx_slice split_last(struct mx_slice *rest)
{
	size_t at = rest->len;
	struct mx_slice piece;

	while (at > 0 && rest->ptr[at - 1] != ',')
		at--;
	piece = mx_slice_of(rest->ptr + at, rest->len - at);
	rest->len = at > 0 ? at - 1 : 0;
	return mx_trim(piece);
}

struct peer peer_behind(const struct peer_ranges *trusted, const struct peer *peer,
			struct mx_slice forwarded_for)
{
	struct peer found = *peer, next;

	while (forwarded_for.len > 0) {
		if (!peer_parse(split_last(&forwarded_for), &next))
			break;
		found = next;
		if (!peer_ranges_have(trusted, &found))
			break;
	}
	return found;
}

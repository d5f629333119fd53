#include "shared/net/cidr.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#define RANGE_TEXT_MAX 64
#define V4_BYTES       4
#define V6_BYTES       16
#define MAPPED_BITS    96
#define V4_FORMS_MAX   8 /* of one IPv6 address */
#define ISATAP_AT      8

struct range {
	uint8_t bytes[V6_BYTES];
	uint8_t size; /* of an address: 4 or 16 bytes */
	uint8_t bits;
};

struct mx_cidr_set {
	size_t len;
	struct range ranges[];
};

/* RFC 6890 and the registries it founded (IPv4 and IPv6 special-purpose addresses), multicast,
 * and every form of IPv6 that carries an IPv4 address. */
static const struct range refused[] = {
	{ { 0 }, 4, 8 }, /* this network */
	{ { 10 }, 4, 8 }, /* private */
	{ { 100, 64 }, 4, 10 }, /* carrier NAT */
	{ { 127 }, 4, 8 }, /* loopback */
	{ { 169, 254 }, 4, 16 }, /* link-local */
	{ { 172, 16 }, 4, 12 }, /* private */
	{ { 192, 0, 0 }, 4, 24 }, /* IETF protocols */
	{ { 192, 0, 2 }, 4, 24 }, /* documentation */
	{ { 192, 88, 99 }, 4, 24 }, /* 6to4 relays */
	{ { 192, 168 }, 4, 16 }, /* private */
	{ { 198, 18 }, 4, 15 }, /* benchmarks */
	{ { 198, 51, 100 }, 4, 24 }, /* documentation */
	{ { 203, 0, 113 }, 4, 24 }, /* documentation */
	{ { 224 }, 4, 4 }, /* multicast */
	{ { 240 }, 4, 4 }, /* reserved, and the broadcast address */
	{ { 0 }, 16, 96 }, /* ::, ::1, IPv4-compatible */
	{ { [10] = 0xff, 0xff }, 16, 96 }, /* IPv4-mapped */
	{ { [8] = 0xff, 0xff }, 16, 96 }, /* IPv4-translated, RFC 2765 */
	{ { 0, 0x64, 0xff, 0x9b }, 16, 96 }, /* NAT64 */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, /* NAT64, local use */
	{ { 0x01 }, 16, 64 }, /* discard only */
	{ { 0x01, [7] = 1 }, 16, 64 }, /* dummy prefix */
	{ { 0x20, 0x01, 0, 0 }, 16, 32 }, /* Teredo */
	{ { 0x20, 0x01, 0, 0x02, 0, 0 }, 16, 48 }, /* benchmarks */
	{ { 0x20, 0x01, 0, 0x10 }, 16, 28 }, /* ORCHID */
	{ { 0x20, 0x01, 0, 0x20 }, 16, 28 }, /* ORCHIDv2 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 16, 32 }, /* documentation */
	{ { 0x20, 0x02 }, 16, 16 }, /* 6to4 */
	{ { 0x3f, 0xff }, 16, 20 }, /* documentation */
	{ { 0x5f }, 16, 16 }, /* segment routing */
	{ { 0xfc }, 16, 7 }, /* unique local */
	{ { 0xfe, 0x80 }, 16, 10 }, /* link-local */
	{ { 0xfe, 0xc0 }, 16, 10 }, /* site-local */
	{ { 0xff }, 16, 8 }, /* multicast */
};

static bool range_has(const struct range *range, const uint8_t *address, size_t size)
{
	size_t whole = range->bits / 8;
	unsigned rest = range->bits % 8;

	if (range->size != size || memcmp(range->bytes, address, whole) != 0)
		return false;
	return rest == 0 || ((range->bytes[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool any_has(const struct range *ranges, size_t len, const uint8_t *address, size_t size)
{
	for (size_t i = 0; i < len; i++)
		if (range_has(&ranges[i], address, size))
			return true;
	return false;
}

/* RFC 5214: ISATAP marks the interface, under whatever prefix. */
static bool is_isatap(const uint8_t address[V6_BYTES])
{
	static const uint8_t mark[] = { 0, 0x5e, 0xfe };

	return (address[ISATAP_AT] & ~2) == 0 &&
	       memcmp(address + ISATAP_AT + 1, mark, sizeof(mark)) == 0;
}

/* Where the IPv6 forms of an IPv4 address keep it: RFC 4291, 2765, 3056, 4380, 6052, 8215. Which
 * of its lengths a site's own NAT64 prefix has, nobody can see. */
static size_t embedded_v4(const uint8_t address[V6_BYTES], uint8_t ret_v4[V4_FORMS_MAX][V4_BYTES])
{
	static const struct {
		struct range range;
		uint8_t at[V4_BYTES], mask;
	} forms[] = {
		{ { { 0 }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
		{ { { [10] = 0xff, 0xff }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
		{ { { [8] = 0xff, 0xff }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
		{ { { 0, 0x64, 0xff, 0x9b }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 12, 13, 14, 15 }, 0 },
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 9, 10, 11, 12 }, 0 },
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 7, 9, 10, 11 }, 0 },
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 6, 7, 9, 10 }, 0 },
		{ { { 0x20, 0x02 }, 16, 16 }, { 2, 3, 4, 5 }, 0 },
		{ { { 0x20, 0x01, 0, 0 }, 16, 32 }, { 12, 13, 14, 15 }, 0xff }, /* inverted */
	};
	size_t len = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!range_has(&forms[i].range, address, V6_BYTES))
			continue;
		for (size_t k = 0; k < V4_BYTES; k++)
			ret_v4[len][k] = address[forms[i].at[k]] ^ forms[i].mask;
		len++;
	}
	if (is_isatap(address))
		memcpy(ret_v4[len++], address + V6_BYTES - V4_BYTES, V4_BYTES);
	return len;
}

static size_t address_bytes(const struct sockaddr *address, uint8_t ret_bytes[V6_BYTES])
{
	if (address->sa_family == AF_INET) {
		memcpy(ret_bytes, &((const struct sockaddr_in *)address)->sin_addr, V4_BYTES);
		return V4_BYTES;
	}
	if (address->sa_family == AF_INET6) {
		memcpy(ret_bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, V6_BYTES);
		return V6_BYTES;
	}
	return 0;
}

/* ::ffff:10.0.0.0/104 says the same as 10.0.0.0/8. */
static void unmap(struct range *range)
{
	static const struct range mapped = { { [10] = 0xff, 0xff }, 16, MAPPED_BITS };

	if (range->bits < MAPPED_BITS || !range_has(&mapped, range->bytes, range->size))
		return;
	memmove(range->bytes, range->bytes + V6_BYTES - V4_BYTES, V4_BYTES);
	range->size = V4_BYTES;
	range->bits -= MAPPED_BITS;
}

static bool range_parse(const char *text, struct range *ret_range)
{
	struct range range = { .size = V4_BYTES };
	struct mx_slice rest = mx_slice(text), host;
	char host_text[RANGE_TEXT_MAX];
	int64_t bits;

	if (rest.len >= sizeof(host_text) || !mx_split_next(&rest, '/', &host))
		return false;
	memcpy(host_text, host.ptr, host.len);
	host_text[host.len] = '\0';
	if (inet_pton(AF_INET, host_text, range.bytes) != 1) {
		if (inet_pton(AF_INET6, host_text, range.bytes) != 1)
			return false;
		range.size = V6_BYTES;
	}
	bits = range.size * 8;
	if (rest.ptr && (!mx_parse_i64(rest, &bits) || bits < 0 || bits > range.size * 8))
		return false;
	range.bits = (uint8_t)bits;
	unmap(&range);
	*ret_range = range;
	return true;
}

int mx_cidr_set_new(const char *const *texts, size_t len, struct mx_cidr_set **ret_set,
		    struct mx_error *err)
{
	struct mx_cidr_set *set = mx_calloc(1, sizeof(*set) + len * sizeof(set->ranges[0]));

	for (size_t i = 0; i < len; i++) {
		if (range_parse(texts[i], &set->ranges[i]))
			continue;
		mx_cidr_set_free(set);
		return mx_fail(err, MX_BAD_CONFIG, "%.80s is no address range", texts[i]);
	}
	set->len = len;
	*ret_set = set;
	return 0;
}

void mx_cidr_set_free(struct mx_cidr_set *set)
{
	mx_free(set);
}

/* How many of the IPv4 addresses that an IPv6 address may stand for are in the set. */
static size_t embedded_in_set(const struct mx_cidr_set *set, const uint8_t address[V6_BYTES],
			      size_t *ret_len)
{
	uint8_t v4[V4_FORMS_MAX][V4_BYTES];
	size_t found = 0;

	*ret_len = embedded_v4(address, v4);
	for (size_t i = 0; i < *ret_len; i++)
		found += any_has(set->ranges, set->len, v4[i], V4_BYTES);
	return found;
}

bool mx_cidr_set_has(const struct mx_cidr_set *set, const struct sockaddr *address)
{
	uint8_t bytes[V6_BYTES];
	size_t size = address_bytes(address, bytes), len;

	if (!set || size == 0)
		return false;
	if (any_has(set->ranges, set->len, bytes, size))
		return true;
	return size == V6_BYTES && embedded_in_set(set, bytes, &len) > 0;
}

/* What may stand for several addresses is allowed only if all of them are. */
static bool is_allowed(const struct mx_cidr_set *set, const uint8_t *bytes, size_t size)
{
	size_t len;

	if (!set)
		return false;
	if (any_has(set->ranges, set->len, bytes, size))
		return true;
	return size == V6_BYTES && embedded_in_set(set, bytes, &len) == len && len > 0;
}

static bool is_refused(const uint8_t *bytes, size_t size)
{
	return any_has(refused, sizeof(refused) / sizeof(refused[0]), bytes, size) ||
	       (size == V6_BYTES && is_isatap(bytes));
}

bool mx_address_permitted(const struct sockaddr *address, const struct mx_cidr_set *allow,
			  const struct mx_cidr_set *deny)
{
	uint8_t bytes[V6_BYTES];
	size_t size = address_bytes(address, bytes);

	if (size == 0 || mx_cidr_set_has(deny, address))
		return false;
	return is_allowed(allow, bytes, size) || !is_refused(bytes, size);
}

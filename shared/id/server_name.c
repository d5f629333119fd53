#include "shared/id/server_name.h"

#include "shared/core/str.h"

#include <arpa/inet.h>

#define PORT_DIGITS_MAX 5

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_dns_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Only what inet_pton reads: four decimal bytes without leading zeros, or IPv6 without a zone. */
static bool is_address(int family, struct mx_slice text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];

	if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, address) == 1;
}

static bool labels_valid(struct mx_slice host)
{
	struct mx_slice label;

	while (mx_split_next(&host, '.', &label)) {
		if (!label.len)
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_dns_char(label.ptr[i]))
				return false;
	}
	return true;
}

/* "1.2.3" or "2130706433" is no name: resolvers would read it as an address. */
static bool is_numeric(struct mx_slice host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!is_digit(host.ptr[i]) && host.ptr[i] != '.')
			return false;
	return true;
}

static bool port_parse(struct mx_slice text, uint16_t *ret_port)
{
	int64_t port;

	if (!text.len || text.len > PORT_DIGITS_MAX || text.ptr[0] == '0' || text.ptr[0] == '-')
		return false;
	if (!mx_parse_i64(text, &port) || port > UINT16_MAX)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool host_parse(struct mx_server_name *name)
{
	if (is_numeric(name->host)) {
		name->kind = MX_HOST_IPV4;
		return is_address(AF_INET, name->host);
	}
	name->kind = MX_HOST_DNS;
	return labels_valid(name->host);
}

/* Takes the host off the front of rest. */
static bool host_take(struct mx_slice *rest, struct mx_server_name *name)
{
	bool literal = rest->ptr[0] == '[';
	const char *end = memchr(rest->ptr, literal ? ']' : ':', rest->len);

	if (literal && !end)
		return false;
	name->host = mx_slice_of(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
	rest->ptr += name->host.len + literal;
	rest->len -= name->host.len + literal;
	if (!literal)
		return host_parse(name);
	name->host.ptr++;
	name->host.len--;
	name->kind = MX_HOST_IPV6;
	return is_address(AF_INET6, name->host);
}

bool mx_server_name_parse(struct mx_slice name, struct mx_server_name *ret_name)
{
	struct mx_server_name parsed = { 0 };

	if (!name.len || name.len > MX_SERVER_NAME_MAX || !host_take(&name, &parsed))
		return false;
	if (name.len && (name.ptr[0] != ':' ||
			 !port_parse(mx_slice_of(name.ptr + 1, name.len - 1), &parsed.port)))
		return false;
	*ret_name = parsed;
	return true;
}

bool mx_server_name_valid(struct mx_slice name)
{
	struct mx_server_name parsed;

	return mx_server_name_parse(name, &parsed);
}

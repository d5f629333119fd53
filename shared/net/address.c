#include "shared/net/address.h"

#include <arpa/inet.h>
#include <string.h>

bool net_address_parse(const char *text, struct net_address *ret_address)
{
	struct net_address address = { 0 };

	if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1)
		address.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
		address.v6.sin6_family = AF_INET6;
	else
		return false;
	*ret_address = address;
	return true;
}

bool net_address_from(const struct sockaddr *address, struct net_address *ret_address)
{
	struct net_address copy = { 0 };

	if (address->sa_family == AF_INET)
		memcpy(&copy.v4, address, sizeof(copy.v4));
	else if (address->sa_family == AF_INET6)
		memcpy(&copy.v6, address, sizeof(copy.v6));
	else
		return false;
	*ret_address = copy;
	return true;
}

void net_address_format(const struct net_address *address, char ret_text[NET_ADDRESS_TEXT_MAX])
{
	const void *bytes = net_address_key(address).ptr;

	if (!inet_ntop(address->any.sa_family, bytes, ret_text, NET_ADDRESS_TEXT_MAX))
		ret_text[0] = '\0';
}

struct mx_slice net_address_key(const struct net_address *address)
{
	if (address->any.sa_family == AF_INET)
		return mx_slice_of(&address->v4.sin_addr, sizeof(address->v4.sin_addr));
	return mx_slice_of(&address->v6.sin6_addr, sizeof(address->v6.sin6_addr));
}

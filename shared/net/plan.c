#include "shared/net/plan.h"

#include "shared/core/error.h"
#include "shared/net/cidr.h"
#include "shared/net/state.h"

#define LOW_PORTS_END 1024
#define PORT_HTTPS    443

void net_search_cancel(struct net_search *search)
{
	for (size_t i = 0; i < NET_PLACES_MAX; i++)
		net_list_remove(&search->waits[i].link);
}

/* Copies what the filter lets pass. */
static int take_permitted(const struct net *net, const struct net_address *addresses, size_t len,
			  struct net_place *place)
{
	place->len = 0;
	for (size_t i = 0; i < len; i++)
		if (mx_address_permitted(&addresses[i].any, net->allow, net->deny))
			place->addresses[place->len++] = addresses[i];
	return place->len > 0 ? 0 : -MX_ADDRESS_REFUSED;
}

int net_place_find(struct net_search *search, unsigned slot, const char *host,
		   struct net_place *ret_place, struct mx_error *err)
{
	const struct net_dns_answer *answer;
	struct net_address literal;
	int rc;

	if (net_address_parse(host, &literal)) {
		rc = take_permitted(search->net, &literal, 1, ret_place);
	} else {
		answer = net_dns_ask(search->net->dns, NET_DNS_ADDRESSES, host,
				     &search->waits[slot], search->task);
		if (!answer)
			return NET_PENDING;
		if (answer->status != NET_DNS_FOUND)
			return mx_fail(err, MX_REMOTE_FAILED, "DNS: %.180s: %s", host,
				       answer->reason);
		rc = take_permitted(search->net, answer->addresses, answer->len, ret_place);
	}
	if (rc)
		return mx_fail(err, MX_ADDRESS_REFUSED,
			       "The addresses of %.180s may not be contacted", host);
	return 0;
}

bool net_port_permitted(const struct net *net, uint16_t port)
{
	if (port >= LOW_PORTS_END || port == PORT_HTTPS)
		return true;
	for (size_t i = 0; net->low_ports && net->low_ports[i]; i++)
		if (net->low_ports[i] == port)
			return true;
	return false;
}

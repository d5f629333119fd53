#include "shared/net/discover.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/slice.h"
#include "shared/core/str.h"
#include "shared/id/server_name.h"
#include "shared/net/plan.h"
#include "shared/net/state.h"
#include "shared/net/wellknown.h"

#include <stdarg.h>

#define PORT_FEDERATION 8448
#define STEP_TEXT_MAX   512

/* The section "Resolving server names" of the server-server API, whose steps are numbered here
 * as there. Every run starts from the beginning and is answered by the caches, until nothing is
 * left to wait for. */

static void step(struct net_search *search, const char *what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void step(struct net_search *search, const char *what, const char *format, ...)
{
	char text[STEP_TEXT_MAX];
	va_list args;

	if (!search->steps)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(search->steps, json_pack("{s:s, s:s}", "what", what, "result", text));
}

static void copy_text(char *to, size_t size, struct mx_slice text)
{
	size_t len = text.len < size ? text.len : size - 1;

	memcpy(to, text.ptr, len);
	to[len] = '\0';
}

static int port_check(struct net_search *search, uint16_t port, struct mx_error *err)
{
	if (net_port_permitted(search->net, port))
		return 0;
	step(search, "port", "%u may not be contacted", (unsigned)port);
	return mx_fail(err, MX_ADDRESS_REFUSED, "Port %u may not be contacted", (unsigned)port);
}

/* place_find with its step. */
static int find_addresses(struct net_search *search, unsigned slot, const char *host,
			  struct net_place *place, struct mx_error *err)
{
	struct mx_error own = { 0 };
	int rc = net_place_find(search, slot, host, place, &own);

	if (rc == 0)
		step(search, "addresses", "%s: %zu permitted", host, place->len);
	if (rc < 0)
		step(search, "addresses", "%s", own.text);
	if (rc < 0 && err)
		*err = own;
	return rc;
}

/* 1, 2, 3.1, 3.2, 3.5, 6: addresses of the name itself. */
static int find_direct(struct net_search *search, uint16_t port, struct net_plan *plan,
		       struct mx_error *err)
{
	struct net_place *place = &plan->places[0];
	int rc = port_check(search, port, err);

	if (rc == 0)
		rc = find_addresses(search, 0, plan->host, place, err);
	if (rc)
		return rc;
	place->port = port;
	plan->len = 1;
	return 0;
}

/* xorshift: what it decides is no secret, but it has to be the same in every run. */
static uint32_t chance_below(void *ctx, uint32_t bound)
{
	uint32_t *state = ctx;

	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % bound;
}

static int target_find(struct net_search *search, unsigned slot, const struct net_srv *srv,
		       struct net_place *place, struct mx_error *err)
{
	int rc = port_check(search, srv->port, err);

	if (rc)
		return rc;
	place->port = srv->port;
	return find_addresses(search, slot, srv->target, place, err);
}

static int find_targets(struct net_search *search, const struct net_srv *srvs, size_t len,
			struct net_plan *plan, struct mx_error *err)
{
	bool pending = false;
	int failure = 0;

	for (size_t i = 0; i < len && i < NET_PLACES_MAX; i++) {
		int rc = target_find(search, (unsigned)i, &srvs[i], &plan->places[plan->len], err);

		if (rc == 0)
			plan->len++;
		else if (rc == NET_PENDING)
			pending = true;
		else
			failure = rc;
	}
	if (pending)
		return NET_PENDING;
	return plan->len > 0 ? 0 : failure;
}

/* 3.3, 3.4, 4, 5. Sets ret_exists if there are such records; else the next step follows. */
static int find_service(struct net_search *search, const char *service, struct net_plan *plan,
			bool *ret_exists, struct mx_error *err)
{
	mx_autofree char *name = mx_strf("%s._tcp.%s", service, plan->host);
	const struct net_dns_answer *answer = net_dns_ask(search->net->dns, NET_DNS_SRV, name,
							  &search->waits[0], search->task);
	struct net_srv srvs[NET_SRV_MAX];
	uint32_t seed = search->seed;
	size_t len;

	if (!answer)
		return NET_PENDING;
	if (answer->status != NET_DNS_FOUND) {
		step(search, "srv", "%s: %s", name, answer->reason);
		return 0;
	}
	*ret_exists = true;
	len = answer->len;
	memcpy(srvs, answer->srvs, len * sizeof(srvs[0]));
	net_srv_order(srvs, len, chance_below, &seed);
	for (size_t i = 0; i < len && i < NET_PLACES_MAX; i++)
		step(search, "srv", "%s: %u %u %u %s.", name, srvs[i].priority, srvs[i].weight,
		     srvs[i].port, srvs[i].target);
	/* RFC 2782: a target of "." means that the service is decidedly not there. */
	if (srvs[0].target[0] == '\0')
		return mx_fail(err, MX_REMOTE_FAILED, "DNS: %.180s says that there is no server",
			       name);
	return find_targets(search, srvs, len, plan, err);
}

static int find_by_services(struct net_search *search, struct net_plan *plan, struct mx_error *err)
{
	static const char *const services[] = { "_matrix-fed", "_matrix" };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		bool exists = false;
		int rc = find_service(search, services[i], plan, &exists, err);

		if (rc || exists)
			return rc;
	}
	return find_direct(search, PORT_FEDERATION, plan, err);
}

/* The Host header and the certificate are always for the name that was given or delegated to,
 * never for the target of an SRV record. */
static void plan_name(struct net_plan *plan, struct mx_slice text,
		      const struct mx_server_name *name)
{
	copy_text(plan->host, sizeof(plan->host), name->host);
	copy_text(plan->host_header, sizeof(plan->host_header), text);
}

static bool is_final(const struct mx_server_name *name)
{
	return name->kind != MX_HOST_DNS || name->port != 0;
}

static uint16_t port_of(const struct mx_server_name *name)
{
	return name->port ? name->port : PORT_FEDERATION;
}

/* 3: the name that is used from here on. */
static int follow_wellknown(struct net_search *search, struct net_plan *plan,
			    struct mx_server_name *name)
{
	const struct net_delegation *delegation = net_wellknown_ask(
		search->net->wellknown, plan->host, &search->waits[0], search->task);

	if (!delegation)
		return NET_PENDING;
	if (!delegation->server) {
		step(search, "well-known", "%s", delegation->reason);
		return 0;
	}
	step(search, "well-known", "delegates to %s", delegation->server);
	/* The name is borrowed from the plan, which outlives the cached answer. */
	copy_text(plan->host_header, sizeof(plan->host_header), mx_slice(delegation->server));
	mx_server_name_parse(mx_slice(plan->host_header), name);
	copy_text(plan->host, sizeof(plan->host), name->host);
	return 0;
}

int net_discover(struct net_search *search, const char *server, struct net_plan *ret_plan,
		 struct mx_error *err)
{
	struct mx_server_name name;
	int rc;

	if (search->steps)
		json_array_clear(search->steps);
	ret_plan->len = 0;
	if (!mx_server_name_parse(mx_slice(server), &name))
		return mx_fail(err, MX_INVALID_PARAM, "Not a server name");
	plan_name(ret_plan, mx_slice(server), &name);
	if (is_final(&name)) {
		step(search, "name", "%s", name.port ? "with a port" : "an address");
		return find_direct(search, port_of(&name), ret_plan, err);
	}
	rc = follow_wellknown(search, ret_plan, &name);
	if (rc)
		return rc;
	if (is_final(&name))
		return find_direct(search, port_of(&name), ret_plan, err);
	return find_by_services(search, ret_plan, err);
}

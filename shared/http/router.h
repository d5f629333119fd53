/* The tree of all routes: built once from the tables, then only read, by any thread. */
#pragma once

#include "shared/http/route.h"

#include <stdbool.h>

struct mx_error;
struct mx_metric;
struct mx_schema;
struct router;
struct target;

#define ROUTE_PARAMS_MAX 8
#define ROUTE_METHODS    (DELETE + 1)

struct route_param {
	const char *name; /* owned by the router */
	unsigned segment;
	const struct param_type *type; /* NULL: any text */
};

/* A route and what was looked up for it at start. */
struct route_entry {
	const struct route *route;
	const struct mx_schema *body; /* filled by the server */
	struct route_param params[ROUTE_PARAMS_MAX];
	unsigned params_len;
	unsigned index; /* 0, 1, … over all tables */
};

/* types: the daemon's own, may be NULL; the built-in ones come after them.
 * -MX_BAD_CONFIG for a malformed path, an unknown type, or the same route twice. */
int router_new(const struct route *const *tables, const struct param_type *types,
	       struct router **ret_router, struct mx_error *err);
void router_free(struct router *router);

/* What is not found below alias->path is looked for below alias->as. -MX_BAD_CONFIG if they are not
 * of the same depth, have parameters, or nothing is routed below the latter. */
int router_alias(struct router *router, const struct route_alias *alias, struct mx_error *err);

/* NULL if there is none; then *ret_allowed has bit 1 << method for what the path does have. */
const struct route_entry *router_find(const struct router *router, enum http_method method,
				      const struct target *target, unsigned *ret_allowed);

/* All entries by index, for what is prepared at start. */
unsigned router_len(const struct router *router);
struct route_entry *router_entry(const struct router *router, unsigned index);

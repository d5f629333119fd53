/* The specification's list of endpoints against the route tables of the daemons. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct route;

/* A daemon that is built, with its tables (NULL-ended lists; admin may be NULL). */
struct contract_daemon {
	const char *name; /* "notary" */
	const struct route *const *routes, *const *admin_routes;
	const struct route *later; /* the table of what it answers as one that does not have it */
};

/* A line of tests/contract/endpoints.txt, or of missing.txt, where daemon is set. */
struct endpoint {
	char daemon[16], api[24], method[8], path[128];
};

/* All lines of a file of the folder tests/contract; free() the array. Fails the test if it cannot
 * be read. */
struct endpoint *endpoints_load(const char *file, bool with_daemon, size_t *ret_len);

/* Does the daemon have to answer it? */
bool endpoint_belongs_to(const struct endpoint *endpoint, const char *daemon);

/* The route of an endpoint as the specification writes it: a {parameter} where the route has one.
 * NULL if none. */
const struct route *contract_route(const struct route *const *tables, const char *method,
				   const char *path);

/* The route that a request's target reaches, its query left aside. NULL if none. */
const struct route *contract_route_of_target(const struct route *const *tables, const char *method,
					     const char *target);

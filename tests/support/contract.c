#include "tests/support/contract.h"

#include "shared/core/str.h"
#include "shared/http/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINTS_MAX 1024

static const char *const method_names[] = { "", "GET", "POST", "PUT", "DELETE" };

/* Whom the operations of an API are for, by the start of their paths. Application services and
 * push gateways are other people's programs: what they answer is no endpoint of ours. */
static const struct part {
	const char *daemon, *api, *path;
} parts[] = {
	{ "notary", "server-server", "/_matrix/key/v2/" },
	{ "notary", "server-server", "/_matrix/federation/v1/version" },
	{ "identity", "identity", "/" },
	{ "homeserver", "client-server", "/" },
	{ "homeserver", "server-server", "/" },
};

bool endpoint_belongs_to(const struct endpoint *endpoint, const char *daemon)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const struct part *part = &parts[i];

		if (streq(part->daemon, daemon) && streq(part->api, endpoint->api) &&
		    strncmp(endpoint->path, part->path, strlen(part->path)) == 0)
			return true;
	}
	return false;
}

static bool read_line(FILE *file, bool with_daemon, struct endpoint *endpoint)
{
	char line[256];

	while (fgets(line, sizeof line, file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		*endpoint = (struct endpoint){ 0 };
		if (with_daemon)
			return sscanf(line, "%15s %23s %7s %127s", endpoint->daemon, endpoint->api,
				      endpoint->method, endpoint->path) == 4;
		return sscanf(line, "%23s %7s %127s", endpoint->api, endpoint->method,
			      endpoint->path) == 3;
	}
	return false;
}

struct endpoint *endpoints_load(const char *file, bool with_daemon, size_t *ret_len)
{
	struct endpoint *endpoints = calloc(ENDPOINTS_MAX, sizeof *endpoints);
	FILE *in = fopen(file, "r");
	size_t len = 0;

	if (!in || !endpoints) {
		perror(file);
		abort();
	}
	while (len < ENDPOINTS_MAX && read_line(in, with_daemon, &endpoints[len]))
		len++;
	if (!feof(in)) {
		fprintf(stderr, "%s: line %zu is not understood\n", file, len + 1);
		abort();
	}
	fclose(in);
	*ret_len = len;
	return endpoints;
}

static size_t segment_len(const char *path)
{
	return strcspn(path, "/?");
}

/* as_written: path is the specification's, its parameters stand for parameters. */
static bool path_matches(const struct route *route, const char *path, bool as_written)
{
	const char *pattern = route->path;

	while (*pattern == '/' && *path == '/') {
		size_t pattern_len = segment_len(++pattern), len = segment_len(++path);
		bool parameter = *pattern == '{';

		if (parameter && (len == 0 || (as_written && *path != '{')))
			return false;
		if (!parameter && (len != pattern_len || memcmp(path, pattern, len) != 0))
			return false;
		pattern += pattern_len;
		path += len;
	}
	if (*path == '/' && route->flags & ROUTE_SLASH)
		path++;
	return *pattern == '\0' && (*path == '\0' || *path == '?');
}

static const struct route *find(const struct route *const *tables, const char *method,
				const char *path, bool as_written)
{
	/* HEAD is answered by the GET row. */
	if (streq(method, "HEAD"))
		method = "GET";
	for (; tables && *tables; tables++) {
		for (const struct route *route = *tables; route->path; route++) {
			if (streq(method_names[route->method], method) &&
			    path_matches(route, path, as_written))
				return route;
		}
	}
	return NULL;
}

const struct route *contract_route(const struct route *const *tables, const char *method,
				   const char *path)
{
	return find(tables, method, path, true);
}

const struct route *contract_route_of_target(const struct route *const *tables, const char *method,
					     const char *target)
{
	return find(tables, method, target, false);
}

/* Tells whether replies of a daemon keep the contract of their routes:
 * tests/support/python/contract.py starts it and asks about each reply of a story. On standard
 * input METHOD TARGET STATUS LENGTH newline BODY and on standard output, for each, "fine" or what
 * is wrong, on one line. */
#include "tests/contract/daemons.h"

#include "shared/core/error.h"
#include "shared/http/route.h"
#include "shared/schema/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX      (256u * 1024 * 1024)
#define TARGET_MAX    65536
#define TARGET_FORMAT "%65535s"

struct exchange {
	char method[16], target[TARGET_MAX];
	int status;
	json_t *body;
};

static const struct route *route_of(const struct exchange *exchange)
{
	const struct route *found = contract_route_of_target(contract_daemon.routes,
							     exchange->method, exchange->target);

	return found ? found
		     : contract_route_of_target(contract_daemon.admin_routes, exchange->method,
						exchange->target);
}

/* Spec: client-server API, "User-interactive API in the REST API". */
static const char *check_interactive(const json_t *body)
{
	if (!json_is_array(json_object_get(body, "flows")))
		return "interactive authentication without flows";
	if (!json_is_object(json_object_get(body, "params")))
		return "interactive authentication without params";
	return NULL;
}

/* Spec: client-server API, "Standard error response". */
static const char *check_error(int status, const json_t *body)
{
	const char *errcode = json_string_value(json_object_get(body, "errcode"));

	if (status == 401 && json_object_get(body, "session")) {
		const char *wrong = check_interactive(body);

		if (wrong || !errcode)
			return wrong;
	}
	if (!errcode || strncmp(errcode, "M_", 2) != 0)
		return "an error without errcode";
	if (!json_is_string(json_object_get(body, "error")))
		return "an error without a text";
	return NULL;
}

static const char *check(const struct exchange *exchange, struct mx_error *err)
{
	const struct route *route;
	const struct mx_schema *schema;

	if (!exchange->body)
		return "the body is no JSON";
	/* A 503 of these is an answer: why the daemon is not ready. */
	if (strncmp(exchange->target, "/health/", 8) == 0)
		return NULL;
	if (exchange->status >= 400)
		return check_error(exchange->status, exchange->body);
	route = route_of(exchange);
	if (!route || exchange->status != 200 || !route->reply)
		return NULL;
	schema = mx_schema_find(route->reply);
	if (!schema)
		return "there is no schema for its route";
	return mx_schema_check(schema, exchange->body, err) ? err->text : NULL;
}

static bool read_exchange(struct exchange *exchange)
{
	size_t len;
	char *bytes;

	if (scanf("%15s " TARGET_FORMAT " %d %zu", exchange->method, exchange->target,
		  &exchange->status, &len) != 4 ||
	    getchar() != '\n' || len > BODY_MAX)
		return false;
	bytes = malloc(len + 1);
	if (!bytes || fread(bytes, 1, len, stdin) != len) {
		free(bytes);
		return false;
	}
	exchange->body = json_loadb(
		bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	free(bytes);
	return true;
}

int main(void)
{
	static struct exchange exchange;

	while (read_exchange(&exchange)) {
		struct mx_error err = { 0 };
		const char *wrong = check(&exchange, &err);

		puts(wrong ? wrong : "fine");
		fflush(stdout);
		json_decref(exchange.body);
	}
	return ferror(stdin) ? 1 : 0;
}

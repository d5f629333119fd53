/* The validation endpoints over a real store and real templates; what the server, the relay and
 * the budgets do is played. For programs with the wrap lines of validate_api_test.c. */
#pragma once

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/outbox/outbox.h"
#include "tests/support/store_fixture.h"

#define BORN_MS INT64_C(1700000000000)
#define HOUR_MS INT64_C(3600000)

/* What the handlers meet, and what they did. */
struct validate_world {
	json_t *query;
	const char *purpose; /* the Sec-Purpose header */
	struct outbox_report outbox_says;
	int budget_left, may_send;
	bool landing, plain_http; /* of the configuration */

	unsigned mails, texts, given;
	char *mail_text, *mail_to, *page, *redirect;
	json_t *reply;
	int status;
	struct req request;
};

extern struct validate_world world;

int validate_setup(void **state);
int validate_teardown(void **state);

const struct route *find_route(enum http_method method, const char *path_end);
/* One run, of a request that is new unless it is parked. */
int run_route(const struct route *route);
void end_request(void);

/* A whole request; the body and the pairs of the query are taken over. */
int post(const char *path_end, json_t *body);
int get(const char *path_end, json_t *pairs);

#include "identity/validate/confirming.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/message.h"
#include "shared/core/arena.h"
#include "shared/http/request.h"

#include <string.h>

struct validator validator_of(struct identity *identity)
{
	const struct identity_counters *counters = &identity->counters;

	return (struct validator){
		.store = identity->store,
		.outbox = identity->outbox,
		.budgets = identity->budgets,
		.begun = { counters->sessions[0], counters->sessions[1] },
		.validated = { counters->validated[0], counters->validated[1] },
		.app = identity,
	};
}

static int show_page(struct req *r, const char *file, const struct template_values *values,
		     int status)
{
	return message_page(r->app, r, file, values, status);
}

static struct confirm_desk desk_of(struct req *r, const struct validator *validator)
{
	const struct identity *identity = r->app;

	return (struct confirm_desk){
		.validator = validator,
		.page_url = mx_arena_strf(r->mem, "%s" VALIDATION_PAGE,
					  identity->conf->public_base_url),
		.brand = message_style_of(r->app, r).brand,
		.page = show_page,
	};
}

static const char *medium_of(const struct req *r)
{
	return strstr(r->route->path, "/msisdn/") ? "msisdn" : "email";
}

int post_submit_token(struct req *r)
{
	const struct validator validator = validator_of(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_json(r, &desk, medium_of(r));
}

int get_submit_token(struct req *r)
{
	const struct validator validator = validator_of(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_link(r, &desk, medium_of(r));
}

static int get_page(struct req *r)
{
	const struct validator validator = validator_of(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_show(r, &desk);
}

static int post_page(struct req *r)
{
	const struct validator validator = validator_of(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_form(r, &desk);
}

const struct route confirm_routes[] = {
	{ GET, VALIDATION_PAGE, get_page, .limit = LIMIT_READ, .txn = TXN_READ },
	{ POST, VALIDATION_PAGE, post_page, .limit = LIMIT_LOGIN, .flags = ROUTE_FORM,
	  .body = "identity/confirm" },
	{ 0 },
};

/* The admin listener: taking over what another identity service has. */
#include "identity/import/take_over.h"
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#define IMPORT_BODY_MAX  (16u * 1024 * 1024)
#define IMPORT_NODES_MAX 200000

static int post_import(struct req *r)
{
	const struct take_over asked = {
		.items = jarr(r->body, "items"),
		.source = jstr(r->body, "source"),
		.dry_run = jbool(r->body, "dry_run", false),
	};
	json_t *outcomes;
	int rc = take_over(r->app, &asked, &outcomes, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:o}", "outcomes", outcomes));
	return rc;
}

/* A pepper that came from elsewhere may be short and old. */
static int post_pepper(struct req *r)
{
	const struct identity *identity = r->app;

	return pepper_rotate(identity->pepper, &r->err);
}

const struct route import_admin_routes[] = {
	{ POST, "/admin/v1/import", post_import, .body = "identity/import",
	  .body_max = IMPORT_BODY_MAX, .nodes_max = IMPORT_NODES_MAX },
	{ POST, "/admin/v1/pepper/rotate", post_pepper },
	{ 0 },
};

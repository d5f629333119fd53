/* The admin listener: taking over what another identity service has. */
#include "identity/admin/admin.h"
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/import/take_over.h"
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

/* A pepper that came from elsewhere may be short and old: another one is made at once, unless that
 * is under way already. */
static int post_end(struct req *r)
{
	const struct identity_call call = call_of(r);
	const struct audit_note note = { .what = "import", .thing = jstr(r->body, "source") };

	if (r->run == 0 && jbool(r->body, "rotate_pepper", false))
		pepper_rotate(call.identity->pepper, NULL);
	admin_note(r, &call, &note);
	return 0;
}

const struct route import_admin_routes[] = {
	{ POST, "/admin/v1/import", post_import, .body = "identity/import",
	  .body_max = IMPORT_BODY_MAX, .nodes_max = IMPORT_NODES_MAX },
	{ POST, "/admin/v1/import/end", post_end, .txn = TXN_WRITE, .body = "identity/import_end" },
	{ 0 },
};

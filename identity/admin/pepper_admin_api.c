/* The admin listener: the pepper of look-ups. */
#include "identity/admin/admin.h"
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"

/* The rotation commits by itself; a run after a conflict of the note's commit finds it begun. */
static int post_rotate(struct req *r)
{
	const struct identity_call call = call_of(r);
	int rc = r->run == 0 ? pepper_rotate(call.identity->pepper, &r->err) : 0;

	if (rc == 0)
		admin_note(r, &call, &(struct audit_note){ .what = "pepper.rotate" });
	return rc;
}

const struct route pepper_admin_routes[] = {
	{ POST, "/admin/v1/pepper/rotate", post_rotate, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ 0 },
};

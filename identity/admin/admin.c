#include "identity/admin/admin.h"

#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

int admin_threepid(struct req *r, struct threepid *ret_threepid)
{
	return threepid_parse(req_param(r, "medium"), req_param(r, "address"), r->mem, ret_threepid,
			      &r->err);
}

int admin_number(struct req *r, const char *name, uint64_t *ret_number)
{
	int64_t number;

	if (!mx_parse_i64(mx_slice(req_param(r, name)), &number) || number < 1)
		return mx_fail(&r->err, MX_NOT_FOUND, "Nothing has this number");
	*ret_number = (uint64_t)number;
	return 0;
}

void admin_note(struct req *r, const struct identity_call *call, const struct audit_note *what)
{
	const char *by = jstr(r->body, "by");
	struct audit_note note = *what;

	note.who = by ? mx_arena_strf(r->mem, "%s (%s)", by, r->client) : r->client;
	note.reason = jstr(r->body, "reason");
	audit_note(call, &note);
}

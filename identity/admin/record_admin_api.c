/* The admin listener: everything about a person, out or away. */
#include "identity/admin/admin.h"
#include "identity/admin/person.h"
#include "identity/identity.h"
#include "identity/routes.h"
#include "shared/http/request.h"

/* Of the path: {userId}, or {medium} and {address}. */
typedef int read_person(struct req *r, const struct identity_call *call, struct person *ret_person);

static int read_user(struct req *r, const struct identity_call *call, struct person *ret_person)
{
	return person_of_user(call, req_param(r, "userId"), ret_person);
}

static int read_address(struct req *r, const struct identity_call *call, struct person *ret_person)
{
	struct threepid threepid;
	int rc = admin_threepid(r, &threepid);

	if (rc == 0)
		*ret_person = person_of_address(call, &threepid);
	return rc;
}

static int export(struct req *r, read_person *read)
{
	const struct identity_call call = call_of(r);
	struct person person = { 0 };
	json_t *all;
	int rc = read(r, &call, &person);

	if (rc == 0)
		rc = person_export(&call, &person, &all, &r->err);
	if (rc == 0)
		reply_json(r, all);
	return rc;
}

/* One entry for each address: whoever asks for one later finds that it was erased. */
static void note_erasure(struct req *r, const struct identity_call *call,
			 const struct person *person)
{
	struct audit_note note = { .what = "person.erase", .user_id = person->user_id };

	if (person->len == 0)
		admin_note(r, call, &note);
	for (size_t i = 0; i < person->len; i++) {
		note.threepid = &person->addresses[i];
		admin_note(r, call, &note);
	}
}

static int erase(struct req *r, read_person *read)
{
	const struct identity_call call = call_of(r);
	struct person person = { 0 };
	json_t *counts;
	int rc = read(r, &call, &person);

	if (rc == 0)
		rc = person_erase(&call, &person, &counts, &r->err);
	if (rc)
		return rc;
	note_erasure(r, &call, &person);
	reply_json(r, counts);
	return 0;
}

static int get_user(struct req *r)
{
	return export(r, read_user);
}

static int get_address(struct req *r)
{
	return export(r, read_address);
}

static int erase_user(struct req *r)
{
	return erase(r, read_user);
}

static int erase_address(struct req *r)
{
	return erase(r, read_address);
}

#define USER    "/admin/v1/people/user/{userId:user_id}"
#define ADDRESS "/admin/v1/people/address/{medium}/{address}"

const struct route record_admin_routes[] = {
	{ GET, USER "/export", get_user, .txn = TXN_READ },
	{ GET, ADDRESS "/export", get_address, .txn = TXN_READ },
	{ POST, USER "/erase", erase_user, .txn = TXN_WRITE, .body = "identity/admin_reason" },
	{ POST, ADDRESS "/erase", erase_address, .txn = TXN_WRITE,
	  .body = "identity/admin_reason" },
	{ 0 },
};

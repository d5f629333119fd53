#include "identity/suppress/suppression.h"

#include "identity/identity.h"
#include "identity/suppress/suppression_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/mail/address.h"

/* Of E.164, country code included. */
#define DIGITS_MAX 15

/* ---- spelling */

/* The form that addresses have it in: "@xn--mnchen-3ya.example". */
static int parse_domain(const char *what, struct mx_arena *mem, const char **ret_what,
			struct mx_error *err)
{
	struct mail_address address;
	int rc = mail_address_parse(mx_slice(mx_arena_strf(mem, "x%s", what)), &address, err);

	if (rc)
		return rc;
	*ret_what = mx_arena_strf(mem, "@%s", address.domain);
	mail_address_done(&address);
	return 0;
}

/* "+44 77*" is "4477*". */
static int parse_digits(const char *what, struct mx_arena *mem, const char **ret_what,
			struct mx_error *err)
{
	const char *digits = what[0] == '+' ? what + 1 : what;
	size_t len = strspn(digits, "0123456789");

	if (len == 0 || len > DIGITS_MAX || !streq(digits + len, "*"))
		return mx_fail(err, MX_INVALID_ADDRESS,
			       "The beginning of numbers must be digits and a *");
	*ret_what = mx_arena_strdup(mem, digits);
	return 0;
}

static int parse_address(const char *medium, const char *what, struct mx_arena *mem,
			 const char **ret_what, struct mx_error *err)
{
	struct threepid threepid;
	int rc = threepid_parse(medium, what, mem, &threepid, err);

	if (rc == 0)
		*ret_what = threepid.address;
	return rc;
}

int suppression_parse(const char *medium, const char *what, struct mx_arena *mem,
		      struct suppression *ret_suppression, struct mx_error *err)
{
	struct suppression suppression = { .medium = mx_arena_strdup(mem, medium), .reason = "" };
	int rc;

	if (streq(medium, "email") && what[0] == '@')
		rc = parse_domain(what, mem, &suppression.what, err);
	else if (streq(medium, "msisdn") && mx_ends_with(what, "*"))
		rc = parse_digits(what, mem, &suppression.what, err);
	else
		rc = parse_address(medium, what, mem, &suppression.what, err);
	if (rc == 0)
		*ret_suppression = suppression;
	return rc;
}

/* ---- changing */

void suppression_add(const struct identity_call *call, const struct suppression *suppression)
{
	struct suppression added = *suppression;

	added.since_ms = call->now_ms;
	suppression_db_put(call, &added);
}

int suppression_remove(const struct identity_call *call, const struct suppression *suppression,
		       struct mx_error *err)
{
	struct suppression stored;
	int rc = suppression_db_get(call, suppression->medium, suppression->what, &stored);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "That is not suppressed");
	if (rc == 0)
		suppression_db_delete(call, &stored);
	return rc;
}

/* ---- asking */

/* "@mail.example.org", "@example.org", "@org". */
static int find_domain(const struct identity_call *call, const char *domain,
		       struct suppression *ret_suppression)
{
	int rc = -MX_NOT_FOUND;

	for (const char *at = domain; at && rc == -MX_NOT_FOUND; at = strchr(at, '.')) {
		at += *at == '.';
		rc = suppression_db_get(call, "email", mx_arena_strf(call->mem, "@%s", at),
					ret_suppression);
	}
	return rc;
}

static int find_mail(const struct identity_call *call, const char *folded,
		     struct suppression *ret_suppression)
{
	struct mail_address address;
	int rc;

	if (mail_address_parse(mx_slice(folded), &address, NULL))
		return -MX_NOT_FOUND;
	rc = find_domain(call, address.domain, ret_suppression);
	mail_address_done(&address);
	return rc;
}

static int find_number(const struct identity_call *call, const char *digits,
		       struct suppression *ret_suppression)
{
	int rc = -MX_NOT_FOUND;

	for (size_t len = strlen(digits); len > 0 && rc == -MX_NOT_FOUND; len--)
		rc = suppression_db_get(call, "msisdn",
					mx_arena_strf(call->mem, "%.*s*", (int)len, digits),
					ret_suppression);
	return rc;
}

int suppression_find(const struct identity_call *call, const struct threepid *threepid,
		     struct suppression *ret_suppression)
{
	int rc = suppression_db_get(call, threepid->medium, threepid->address, ret_suppression);

	if (rc != -MX_NOT_FOUND)
		return rc;
	if (streq(threepid->medium, "email"))
		return find_mail(call, threepid->address, ret_suppression);
	return find_number(call, threepid->address, ret_suppression);
}

int suppression_list(const struct identity_call *call, const struct page *page,
		     struct suppression_list *ret_list)
{
	return suppression_db_list(call, page, ret_list);
}

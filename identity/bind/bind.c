#include "identity/bind/bind.h"

#include "identity/homeservers.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "identity/message/message.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/threepid/claim.h"

/* ---- telling the owner */

struct notice {
	enum message_kind kind;
	const char *user_id, *old_user_id; /* old_user_id: of a rebind */
	const struct letter_style *style;
};

static bool is_told(const struct identity_call *call, const struct threepid *threepid)
{
	return *conf_of(call->identity)->binding.tell_owner && call->identity->mailer &&
	       streq(threepid->medium, "email");
}

/* A notice is an alarm for the owner, not a condition: what cannot be told is bound all the
 * same. */
static void tell_owner(const struct identity_call *call, const struct threepid *threepid,
		       const struct notice *notice)
{
	const struct template_value items[] = {
		{ "user_id", notice->user_id },
		{ "old_user_id", notice->old_user_id },
	};
	const struct template_values values = { items, sizeof(items) / sizeof(items[0]) };
	const struct letter_style plain = { 0 };
	uint64_t id;
	int rc;

	if (!is_told(call, threepid))
		return;
	rc = message_mail(call, notice->kind, notice->style ? notice->style : &plain,
			  threepid->address, &values, &id, NULL);
	if (rc)
		mx_log(MX_LOG_WARN,
		       "the owner of an address is not told that it was bound or unbound", "reason",
		       mx_errc((enum mx_code) - rc)->text, NULL);
}

void bind_tell(const struct identity_call *call, const struct threepid *threepid,
	       const char *user_id, const char *old_user_id)
{
	const struct notice rebound = { MESSAGE_REBOUND, user_id, old_user_id, NULL };
	const struct notice unbound = { MESSAGE_UNBOUND, .user_id = old_user_id };

	tell_owner(call, threepid, user_id ? &rebound : &unbound);
}

/* ---- binding */

static int check_user(const char *user_id, struct mx_error *err)
{
	struct mx_id id;

	if (mx_user_id_parse(mx_slice(user_id), false, &id))
		return 0;
	return mx_fail(err, MX_INVALID_PARAM, "mxid is not a user id");
}

/* The user that has the address so far; NULL if nobody. */
static int load_holder(const struct identity_call *call, const struct threepid *threepid,
		       const char **ret_user)
{
	struct binding stored;
	int rc = binding_load(call, threepid, &stored);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_user = rc ? NULL : stored.user_id;
	return 0;
}

static int put_association(const struct identity_call *call, const struct threepid *threepid,
			   const char *user_id, struct binding *ret_binding, struct mx_error *err)
{
	struct binding binding;
	int rc = binding_make(call, threepid, user_id, &binding, err);

	if (rc)
		return rc;
	if (!binding_put(call, &binding))
		return mx_fail(err, MX_CONFLICT, "The address was just bound by somebody else");
	*ret_binding = binding;
	return 0;
}

static int bind_to(const struct identity_call *call, const struct threepid *threepid,
		   const struct notice *bound, struct binding *ret_binding, struct mx_error *err)
{
	struct notice notice = *bound;
	int rc = check_user(notice.user_id, err);

	if (rc == 0)
		rc = load_holder(call, threepid, &notice.old_user_id);
	if (rc == 0)
		rc = put_association(call, threepid, notice.user_id, ret_binding, err);
	if (rc == 0)
		rc = invite_bind(call, threepid, notice.user_id, ret_binding->signed_json, err);
	if (rc || streq(notice.user_id, notice.old_user_id))
		return rc;
	if (notice.old_user_id)
		notice.kind = MESSAGE_REBOUND;
	tell_owner(call, threepid, &notice);
	return 0;
}

int bind_session(const struct identity_call *call, const struct claim *session, const char *user_id,
		 const struct letter_style *style, struct binding *ret_binding,
		 struct mx_error *err)
{
	const struct notice bound = { MESSAGE_BOUND, .user_id = user_id, .style = style };
	int rc = homeserver_check_user(call->identity, user_id, err);

	return rc ? rc : bind_to(call, &session->threepid, &bound, ret_binding, err);
}

int bind_directly(const struct identity_call *call, const struct threepid *threepid,
		  const char *user_id, struct binding *ret_binding, struct mx_error *err)
{
	const struct notice bound = { MESSAGE_BOUND, .user_id = user_id };

	return bind_to(call, threepid, &bound, ret_binding, err);
}

int unbind(const struct identity_call *call, const struct threepid *threepid, const char *user_id,
	   const struct letter_style *style, struct mx_error *err)
{
	const struct notice notice = { MESSAGE_UNBOUND, .user_id = user_id, .style = style };
	struct binding tombstone;
	const char *holder;
	int rc = load_holder(call, threepid, &holder);

	if (rc)
		return rc;
	if (!streq(holder, user_id))
		return 0;
	rc = put_association(call, threepid, NULL, &tombstone, err);
	if (rc)
		return rc;
	tell_owner(call, threepid, &notice);
	return 0;
}

int bind_forget(const struct identity_call *call, const struct threepid *threepid,
		struct mx_error *err)
{
	struct binding tombstone;
	const char *holder;
	int rc = load_holder(call, threepid, &holder);

	if (rc || !holder)
		return rc;
	return put_association(call, threepid, NULL, &tombstone, err);
}

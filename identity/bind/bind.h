/* Binding and unbinding with all that belongs to it: proof, association, invites, notices. */
#pragma once

#include "identity/binding/binding.h"

struct letter_style;
struct claim;

/*
 * The association of a validated session with the user, stored; pending invites are told, the
 * owner is notified. Two at once: one wins by the transaction's checks. In mem.
 */
int bind_session(const struct identity_call *call, const struct claim *session, const char *user_id,
		 const struct letter_style *style, struct binding *ret_binding,
		 struct mx_error *err);

/* Without a session: administration and directories. */
int bind_directly(const struct identity_call *call, const struct threepid *threepid,
		  const char *user_id, struct binding *ret_binding, struct mx_error *err);

/* Removes whatever binding there is and tells nobody: the owner wants to be forgotten. */
int bind_forget(const struct identity_call *call, const struct threepid *threepid,
		struct mx_error *err);

/* For what was decided elsewhere: tells the owner of an address that old_user_id has it no more,
 * but user_id (NULL: nobody). */
void bind_tell(const struct identity_call *call, const struct threepid *threepid,
	       const char *user_id, const char *old_user_id);

/* Removes the binding if it is exactly this one; 0 also if there was none. Notifies the owner. */
int unbind(const struct identity_call *call, const struct threepid *threepid, const char *user_id,
	   const struct letter_style *style, struct mx_error *err);

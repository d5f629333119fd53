/* What is stored, as the operator sees it: no secrets, no tokens of sessions or accounts. The
 * caller owns what is returned. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct account_summary;
struct audit_entry;
struct binding;
struct identity_call;
struct invite;
struct listed;
struct claim;
struct suppression;
struct threepid;

json_t *show_threepid(const struct threepid *threepid);
json_t *show_binding(const struct binding *binding);
/* What another directory says. */
json_t *show_listed(const struct listed *listed);
json_t *show_session(const struct claim *session, int64_t now_ms);
/* `notice`: what became of telling the homeserver, if it was to be told. */
json_t *show_invite(const struct identity_call *call, const struct invite *invite);
json_t *show_account(const struct account_summary *account);
json_t *show_suppression(const struct suppression *suppression);
/* Adds `suppression` to what is shown of an address that nothing is written to. */
int show_if_suppressed(const struct identity_call *call, const struct threepid *threepid,
		       json_t *shown);
json_t *show_audit(const struct audit_entry *entry);

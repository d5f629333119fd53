/* All routes of the identity service. */
#pragma once

#include "shared/http/route.h"

#include <stdbool.h>

struct identity_conf;

/* A row that is open before the terms of service are accepted; rows without it are not. */
#define ROUTE_BEFORE_TERMS ROUTE_OWN

#define IDENTITY_V1 "/_matrix/identity/api/v1"
#define IDENTITY_V2 "/_matrix/identity/v2"

/* Paths of our own, for what mails link to whichever versions are switched off. */
#define IDENTITY_OWN "/_trinity/identity"

extern const struct route meta_routes[], pubkey_routes[];
extern const struct route account_routes[], terms_routes[];
extern const struct route lookup_routes[], lookup_v1_routes[], bind_routes[], bind_v1_routes[];
extern const struct route internal_routes[];
extern const struct route email_routes[], email_v1_routes[], confirm_routes[];
extern const struct route msisdn_routes[], msisdn_v1_routes[];
extern const struct route store_invite_v1_routes[], store_invite_v2_routes[];
extern const struct route person_admin_routes[], session_admin_routes[], invite_admin_routes[];
extern const struct route account_admin_routes[], suppression_admin_routes[], audit_admin_routes[];
extern const struct route outbox_admin_routes[], record_admin_routes[], pepper_admin_routes[];
extern const struct route sign_v1_routes[], sign_v2_routes[], ephemeral_routes[];

extern const struct route import_admin_routes[], message_admin_routes[]; /* of the admin listener */

extern const struct route *const identity_routes[]; /* of the public listeners: all */
extern const struct route *const identity_admin_routes[];

/* Groups that can be switched off; keys, versions and ping cannot. */
#define IDENTITY_GROUPS                                                              \
	"accounts, lookup, validation, binding, invites, v1_lookup, v1_validation, " \
	"v1_binding, v1_invites"

bool identity_has_group(const char *name);

/* The tables without those of the groups that are off, ended by NULL; mx_free() it. */
const struct route **identity_routes_of(const struct identity_conf *conf);

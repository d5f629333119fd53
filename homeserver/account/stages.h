/* Stages of interactive authentication besides those of account/uia_stages.c. */
#pragma once

#include "homeserver/account/threepids.h"
#include "homeserver/account/uia.h"

#define STAGE_EMAIL     "m.login.email.identity"
#define STAGE_MSISDN    "m.login.msisdn"
#define STAGE_TERMS     "m.login.terms"
#define STAGE_RECAPTCHA "m.login.recaptcha"

/* The first two result in {"medium", "address", "validated_at"}. */
extern const struct uia_stage stage_email, stage_msisdn, stage_terms, stage_recaptcha;

/* Addresses that were proven to register are the new account's. -MX_THREEPID_IN_USE. */
int stages_keep_addresses(const struct hs_call *call, const struct uia_session *session,
			  const char *user, struct mx_error *err);

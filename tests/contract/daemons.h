/* The daemons that are built, for the contract test and its tool. */
#pragma once

#include "tests/support/contract.h"

#ifdef HAVE_NOTARY
#include "notary/routes.h"
#endif
#ifdef HAVE_IDENTITY
#include "identity/routes.h"
#endif

#include <stddef.h>

static const struct contract_daemon contract_daemons[] = {
#ifdef HAVE_NOTARY
	{ "notary", notary_routes, notary_admin_routes },
#endif
#ifdef HAVE_IDENTITY
	{ "identity", identity_routes, identity_admin_routes },
#endif
	{ NULL, NULL, NULL },
};

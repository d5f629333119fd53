/* The daemon that a contract test or tool is built for. */
#pragma once

#include "tests/support/contract.h"

#if defined(FOR_NOTARY)
#include "notary/routes.h"
#elif defined(FOR_IDENTITY)
#include "identity/routes.h"
#else
#include "homeserver/routes.h"
#endif

static const struct contract_daemon contract_daemon = {
#if defined(FOR_NOTARY)
	"notary", notary_routes, notary_admin_routes, NULL
#elif defined(FOR_IDENTITY)
	"identity", identity_routes, identity_admin_routes, NULL
#else
	"homeserver", hs_routes, hs_admin_routes, later_routes
#endif
};

/* What all mails that prove an address have in common. */
#pragma once

#include "shared/threepid/allowance.h"

struct mx_arena;
struct validation_request;
struct validation_send;

/* The daemon's kinds of budgets. */
struct mailed_budgets {
	unsigned network, asker, address, address_day;
};

/* A place in each of them. Without an account it is the client's network that asks. */
void mailed_allowance(const struct validation_request *request, const struct mailed_budgets *kinds,
		      struct allowance *ret_allowance);

/* The page with all that it needs to know in its query; in mem. */
const char *mailed_link(const char *page, const struct validation_send *what, struct mx_arena *mem);

/* The accounts of this server: whose they are, what they may, how they prove themselves. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

enum account_flags {
	ACCOUNT_ADMIN = 1,
	ACCOUNT_LOCKED = 2, /* may only log out */
	ACCOUNT_SUSPENDED = 4, /* may read, and little more */
	ACCOUNT_DEACTIVATED = 8, /* for good: the name is never given again */
	ACCOUNT_GUEST = 16,
	ACCOUNT_APPSERVICE = 32, /* made by an application service, which `appservice` names */
	ACCOUNT_ERASED = 64, /* deactivated, and what it sent is to be forgotten */
};

struct account {
	const char *user; /* the whole user id */
	unsigned flags;
	int64_t created_ms;
	const char *password; /* of password.h; NULL: nobody logs in with one */
	const char *appservice; /* its id, or NULL */
};

/* Strings in call->mem. -MX_NOT_FOUND. */
int account_load(const struct hs_call *call, struct mx_slice user, struct account *ret_account);
/* Of this server, deactivated ones too. */
bool account_exists(const struct hs_call *call, struct mx_slice user);
/* 0 for who is not there. */
unsigned account_flags(const struct hs_call *call, struct mx_slice user);

/* NULL removes it. The account must be there: -MX_NOT_FOUND. */
int account_set_password(const struct hs_call *call, const char *user, const char *password);
/* Sets and clears flags; who is signed in feels it with the next request. -MX_NOT_FOUND. */
int account_set_flags(const struct hs_call *call, const char *user, unsigned set, unsigned clear);

struct page;

struct account_list {
	struct account *items;
	size_t len;
	struct mx_slice next; /* empty: that was the last page */
};

/* For administration, in the order of their ids. */
int account_list(const struct hs_call *call, const struct page *page,
		 struct account_list *ret_list);

/* Whether a person who proved to be this user may begin to use the account now:
 * -MX_USER_DEACTIVATED, -MX_USER_LOCKED. */
int account_check_login(const struct account *account, struct mx_error *err);
/* -MX_FORBIDDEN unless the user is an administrator. Asked before anything is looked up. */
int account_check_admin(const struct hs_call *call, const char *user, struct mx_error *err);

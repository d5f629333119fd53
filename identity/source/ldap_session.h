/* A connection to an LDAP server, signed in. One thread at a time. Spec: RFC 4511, RFC 2696. */
#pragma once

#include "identity/source/ldap_limit.h"

#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>

struct ldap_session;
struct mx_error;
struct source_setup;

/* Connects, verifies the server, signs in. -MX_REMOTE_FAILED, -MX_REMOTE_TIMEOUT. */
int ldap_session_open(const struct source_setup *setup, const struct ldap_limit *limit,
		      struct ldap_session **ret_session, struct mx_error *err);
void ldap_session_close(struct ldap_session *session);

struct ldap_search {
	const char *filter;
	char **attributes; /* NULL-ended */
	int page_rows; /* 0 = all at once */
	struct berval *cookie; /* where the next page begins; NULL: there is none */
	/* Of every entry as it comes; false: no more of them. */
	bool (*visit)(void *ctx, struct ldap_session *session, LDAPMessage *entry);
	void *ctx;
};

/* The next page of what the filter finds below the base. */
int ldap_session_search(struct ldap_session *session, struct ldap_search *search,
			const struct ldap_limit *limit, struct mx_error *err);
void ldap_search_done(struct ldap_search *search);

/* Values of an attribute of an entry, for ldap_value_free_len(). NULL if it has none. */
struct berval **ldap_session_values(struct ldap_session *session, LDAPMessage *entry,
				    const char *attribute);

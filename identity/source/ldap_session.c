#include "identity/source/ldap_session.h"

#include "identity/source/ldap_limit.h"
#include "identity/source/source_kind.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <lber.h>
#include <sys/time.h>

#define LOOK_MS        200 /* how soon a stop is noticed */
#define MESSAGE_MAX    (1024 * 1024) /* of one entry */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct ldap_session {
	LDAP *ldap;
	struct ldap_limit limit; /* of what is under way */
	struct ldap_conncb connected;
	struct timeval patience; /* to connect */
	const struct source_setup *setup;
};

/* ---- errors */

static int fail(struct ldap_session *session, int result, const char *what, struct mx_error *err)
{
	char *more = NULL;

	if (mx_mono_ms() >= session->limit.until_mono_ms)
		return mx_fail(err, MX_REMOTE_TIMEOUT, "%s: it did not answer in time", what);
	if (session->ldap)
		ldap_get_option(session->ldap, LDAP_OPT_DIAGNOSTIC_MESSAGE, &more);
	mx_fail(err, MX_REMOTE_FAILED, "%s: %s%s%.200s", what, ldap_err2string(result),
		more && *more ? ": " : "", more ? more : "");
	ldap_memfree(more);
	return -MX_REMOTE_FAILED;
}

/* ---- connecting */

static struct timeval time_left(const struct ldap_limit *limit, int64_t at_most_ms)
{
	int64_t left_ms = limit->until_mono_ms - mx_mono_ms();

	if (left_ms > at_most_ms)
		left_ms = at_most_ms;
	if (left_ms < 1)
		left_ms = 1;
	return (struct timeval){ left_ms / 1000, left_ms % 1000 * 1000 };
}

static int limit_connection(LDAP *ldap, Sockbuf *buffer, LDAPURLDesc *url, struct sockaddr *address,
			    struct ldap_conncb *connected)
{
	struct ldap_session *session = connected->lc_arg;
	ber_len_t max = MESSAGE_MAX;

	(void)ldap;
	(void)url;
	(void)address;
	ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	return ldap_limit_add(buffer, &session->limit);
}

static void forget_connection(LDAP *ldap, Sockbuf *buffer, struct ldap_conncb *connected)
{
	(void)ldap;
	(void)buffer;
	(void)connected;
}

/* Everything that the machine's own files for LDAP clients could have set otherwise. */
static int set_options(struct ldap_session *session, const struct ldap_limit *limit)
{
	static const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER, none = 0,
			 demand = LDAP_OPT_X_TLS_DEMAND;
	const char *ca_file = session->setup->ca_file ? session->setup->ca_file : SYSTEM_CA_FILE;
	const struct {
		int option;
		const void *value;
	} rows[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &version },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		{ LDAP_OPT_DEREF, &never },
		{ LDAP_OPT_SIZELIMIT, &none },
		{ LDAP_OPT_TIMELIMIT, &none },
		{ LDAP_OPT_NETWORK_TIMEOUT, &session->patience },
		{ LDAP_OPT_TIMEOUT, &session->patience },
		{ LDAP_OPT_CONNECT_CB, &session->connected },
		{ LDAP_OPT_X_TLS_REQUIRE_CERT, &demand },
		{ LDAP_OPT_X_TLS_CACERTFILE, ca_file },
		{ LDAP_OPT_X_TLS_NEWCTX, &none },
	};
	int result = LDAP_SUCCESS;

	session->patience = time_left(limit, INT64_MAX);
	session->connected = (struct ldap_conncb){
		.lc_add = limit_connection,
		.lc_del = forget_connection,
		.lc_arg = session,
	};
	for (size_t i = 0; result == LDAP_SUCCESS && i < sizeof(rows) / sizeof(rows[0]); i++)
		result = ldap_set_option(session->ldap, rows[i].option, rows[i].value);
	return result;
}

/* Waits for a message of an operation; the operation is given up if none comes. */
static int wait_for(struct ldap_session *session, int id, const struct ldap_limit *limit,
		    LDAPMessage **ret_message)
{
	struct timeval left;
	int type = 0;

	*ret_message = NULL;
	while (type == 0 && !ldap_limit_is_over(limit)) {
		left = time_left(limit, LOOK_MS);
		type = ldap_result(session->ldap, id, LDAP_MSG_ONE, &left, ret_message);
	}
	if (type > 0)
		return LDAP_SUCCESS;
	if (type == 0) {
		ldap_abandon_ext(session->ldap, id, NULL, NULL);
		return LDAP_TIMEOUT;
	}
	ldap_get_option(session->ldap, LDAP_OPT_RESULT_CODE, &type);
	return type == LDAP_SUCCESS ? LDAP_SERVER_DOWN : type;
}

/* The result of an operation that has no other messages. */
static int finish(struct ldap_session *session, int id, const struct ldap_limit *limit)
{
	LDAPMessage *message;
	int code, result = wait_for(session, id, limit, &message);

	if (result)
		return result;
	result = ldap_parse_result(session->ldap, message, &code, NULL, NULL, NULL, NULL, 1);
	return result ? result : code;
}

static bool wants_starttls(const struct source_conf *conf)
{
	return mx_starts_with(conf->url, "ldap://") && conf->tls == SOURCE_STARTTLS;
}

static int start_tls(struct ldap_session *session, const struct ldap_limit *limit)
{
	int id, result = ldap_start_tls(session->ldap, NULL, NULL, &id);

	if (result == LDAP_SUCCESS)
		result = finish(session, id, limit);
	return result ? result : ldap_install_tls(session->ldap);
}

static int sign_in(struct ldap_session *session, const struct ldap_limit *limit)
{
	const char *secret = session->setup->secret;
	const char *name = session->setup->conf->user ? session->setup->conf->user : "";
	struct berval password = { .bv_val = (char *)(uintptr_t)(secret ? secret : ""),
				   .bv_len = secret ? strlen(secret) : 0 };
	int id, result = ldap_sasl_bind(session->ldap, name, LDAP_SASL_SIMPLE, &password, NULL,
					NULL, &id);

	return result ? result : finish(session, id, limit);
}

static int connect_to(struct ldap_session *session, const struct ldap_limit *limit,
		      struct mx_error *err)
{
	int result = ldap_initialize(&session->ldap, session->setup->conf->url);

	if (result == LDAP_SUCCESS)
		result = set_options(session, limit);
	if (result)
		return fail(session, result, "the options of LDAP", err);
	if (wants_starttls(session->setup->conf))
		result = start_tls(session, limit);
	if (result)
		return fail(session, result, "StartTLS", err);
	result = sign_in(session, limit);
	return result ? fail(session, result, "signing in", err) : 0;
}

int ldap_session_open(const struct source_setup *setup, const struct ldap_limit *limit,
		      struct ldap_session **ret_session, struct mx_error *err)
{
	struct ldap_session *session = mx_calloc(1, sizeof(*session));
	int rc;

	session->setup = setup;
	session->limit = *limit;
	rc = connect_to(session, limit, err);
	if (rc) {
		ldap_session_close(session);
		return rc;
	}
	*ret_session = session;
	return 0;
}

void ldap_session_close(struct ldap_session *session)
{
	if (!session)
		return;
	if (session->ldap)
		ldap_unbind_ext(session->ldap, NULL, NULL);
	mx_free(session);
}

/* ---- searching */

static int begin(struct ldap_session *session, const struct ldap_search *search, int *ret_id)
{
	LDAPControl *page = NULL, *controls[] = { NULL, NULL };
	int result = LDAP_SUCCESS;

	if (search->page_rows > 0)
		result = ldap_create_page_control(session->ldap, search->page_rows, search->cookie,
						  1, &page);
	if (result)
		return result;
	controls[0] = page;
	result = ldap_search_ext(session->ldap, session->setup->conf->base, LDAP_SCOPE_SUBTREE,
				 search->filter, search->attributes, 0, controls, NULL, NULL, 0,
				 ret_id);
	if (page)
		ldap_control_free(page);
	return result;
}

static int keep_cookie(struct ldap_session *session, struct ldap_search *search,
		       LDAPControl **controls)
{
	LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	struct berval cookie = { 0 };
	ber_int_t estimate;
	int result;

	ldap_search_done(search);
	if (!page)
		return LDAP_SUCCESS;
	result = ldap_parse_pageresponse_control(session->ldap, page, &estimate, &cookie);
	if (result == LDAP_SUCCESS && cookie.bv_len > 0)
		search->cookie = ber_bvdup(&cookie);
	ber_memfree(cookie.bv_val);
	return result;
}

static int end(struct ldap_session *session, struct ldap_search *search, LDAPMessage *message)
{
	LDAPControl **controls = NULL;
	int code, result = ldap_parse_result(session->ldap, message, &code, NULL, NULL, NULL,
					     &controls, 0);

	if (result == LDAP_SUCCESS)
		result = code;
	if (result == LDAP_SUCCESS)
		result = keep_cookie(session, search, controls);
	ldap_controls_free(controls);
	return result;
}

/* *ret_more: there may be another message. */
static int take(struct ldap_session *session, struct ldap_search *search, LDAPMessage *message,
		bool *ret_more)
{
	int type = ldap_msgtype(message);

	*ret_more = type != LDAP_RES_SEARCH_RESULT;
	if (type == LDAP_RES_SEARCH_ENTRY)
		*ret_more = search->visit(search->ctx, session, message);
	return type == LDAP_RES_SEARCH_RESULT ? end(session, search, message) : LDAP_SUCCESS;
}

int ldap_session_search(struct ldap_session *session, struct ldap_search *search,
			const struct ldap_limit *limit, struct mx_error *err)
{
	LDAPMessage *message;
	bool more = true;
	int id, type = 0, result;

	session->limit = *limit;
	result = begin(session, search, &id);
	while (result == LDAP_SUCCESS && more) {
		result = wait_for(session, id, limit, &message);
		if (result)
			break;
		type = ldap_msgtype(message);
		result = take(session, search, message, &more);
		ldap_msgfree(message);
	}
	if (result)
		return fail(session, result, "searching", err);
	if (type != LDAP_RES_SEARCH_RESULT)
		ldap_abandon_ext(session->ldap, id, NULL, NULL);
	return 0;
}

void ldap_search_done(struct ldap_search *search)
{
	ber_bvfree(search->cookie);
	search->cookie = NULL;
}

struct berval **ldap_session_values(struct ldap_session *session, LDAPMessage *entry,
				    const char *attribute)
{
	return ldap_get_values_len(session->ldap, entry, attribute);
}

/* An LDAP directory: OpenLDAP, Active Directory and their like. */
#include "identity/source/ldap_filter.h"
#include "identity/source/ldap_session.h"
#include "identity/source/source_kind.h"
#include "identity/source/user_template.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"

#include <pthread.h>

#define ASK_ONCE    50 /* addresses of one filter */
#define PAGE_ROWS   500
#define PAGE_MS     (30 * MX_SECOND_MS)
#define VALUES_MAX  32 /* of one attribute */
#define VALUE_MAX   1024
#define RESULTS_MAX 1000 /* entries for one filter of ASK_ONCE addresses */

/* Attributes that are asked for: addresses, the user, when it was changed, NULL. */
#define ATTRIBUTES_MAX (2 * SOURCE_ATTRS_MAX + 3)

struct source_ldap {
	const struct source_setup *setup;
	const struct source_conf *conf;
	char *user_attribute;
	char *attributes[ATTRIBUTES_MAX];
	pthread_mutex_t lock; /* of what follows */
	struct ldap_session *idle[16];
	size_t idle_len;
};

/* ---- entries */

/* Called for each address; false: it is enough. */
struct entry_reader {
	const struct source_ldap *ldap;
	struct ldap_session *session;
	LDAPMessage *entry;
	struct mx_arena *mem;
	bool (*visit)(void *ctx, const struct threepid *as_written, const char *user_id);
	void *ctx;
};

static const char *first_value(const struct entry_reader *reader, const char *attribute)
{
	struct berval **values = ldap_session_values(reader->session, reader->entry, attribute);
	const char *first = NULL;

	if (values && values[0] && values[0]->bv_len <= VALUE_MAX &&
	    !memchr(values[0]->bv_val, '\0', values[0]->bv_len))
		first = mx_arena_strndup(reader->mem, values[0]->bv_val, values[0]->bv_len);
	ldap_value_free_len(values);
	return first;
}

static const char *user_of(const struct entry_reader *reader)
{
	const char *value = first_value(reader, reader->ldap->user_attribute);

	if (!value)
		return NULL;
	return user_template_fill(reader->ldap->conf->user_id, mx_slice(value), reader->mem);
}

static bool read_values(const struct entry_reader *reader, const char *medium,
			const char *attribute, const char *user_id)
{
	struct berval **values = ldap_session_values(reader->session, reader->entry, attribute);
	bool more = true;

	for (size_t i = 0; more && values && values[i] && i < VALUES_MAX; i++) {
		const struct berval *value = values[i];
		struct threepid as_written = { .medium = medium };

		if (value->bv_len > VALUE_MAX || memchr(value->bv_val, '\0', value->bv_len))
			continue;
		as_written.address = mx_arena_strndup(reader->mem, value->bv_val, value->bv_len);
		more = reader->visit(reader->ctx, &as_written, user_id);
	}
	ldap_value_free_len(values);
	return more;
}

static bool read_addresses(const struct entry_reader *reader, const char *user_id)
{
	const struct source_conf *conf = reader->ldap->conf;
	bool more = true;

	for (unsigned i = 0; more && i < conf->email_count; i++)
		more = read_values(reader, "email", conf->email[i], user_id);
	for (unsigned i = 0; more && i < conf->msisdn_count; i++)
		more = read_values(reader, "msisdn", conf->msisdn[i], user_id);
	return more;
}

/* ---- asking */

static struct ldap_session *take_idle(struct source_ldap *ldap)
{
	struct ldap_session *session = NULL;

	pthread_mutex_lock(&ldap->lock);
	if (ldap->idle_len > 0)
		session = ldap->idle[--ldap->idle_len];
	pthread_mutex_unlock(&ldap->lock);
	return session;
}

static void give_back(struct source_ldap *ldap, struct ldap_session *session)
{
	bool kept = false;

	pthread_mutex_lock(&ldap->lock);
	if (ldap->idle_len < sizeof(ldap->idle) / sizeof(ldap->idle[0])) {
		ldap->idle[ldap->idle_len++] = session;
		kept = true;
	}
	pthread_mutex_unlock(&ldap->lock);
	if (!kept)
		ldap_session_close(session);
}

struct asking {
	const struct source_ldap *ldap;
	const struct source_question *question;
	size_t entries;
};

static bool match(void *ctx, const struct threepid *as_written, const char *user_id)
{
	source_answer(((struct asking *)ctx)->question, as_written, user_id);
	return true;
}

static bool match_entry(void *ctx, struct ldap_session *session, LDAPMessage *entry)
{
	struct asking *asking = ctx;
	const struct entry_reader reader = {
		.ldap = asking->ldap,
		.session = session,
		.entry = entry,
		.mem = asking->question->mem,
		.visit = match,
		.ctx = asking,
	};
	const char *user_id = user_of(&reader);

	if (user_id)
		read_addresses(&reader, user_id);
	return ++asking->entries < RESULTS_MAX;
}

static int search_for(struct source_ldap *ldap, struct ldap_session *session,
		      const struct source_question *question, struct mx_error *err)
{
	const struct ldap_limit limit = { .until_mono_ms = question->until_mono_ms };
	struct asking asking = { ldap, question, 0 };
	mx_str_auto filter = { 0 };
	struct ldap_search search = { .attributes = ldap->attributes,
				      .visit = match_entry,
				      .ctx = &asking };
	int rc;

	if (!ldap_filter_of(&filter, ldap->conf, question->threepids, question->len))
		return 0;
	search.filter = filter.ptr;
	rc = ldap_session_search(session, &search, &limit, err);
	ldap_search_done(&search);
	return rc;
}

static int ask(void *state, const struct source_question *question, struct mx_error *err)
{
	struct source_ldap *ldap = state;
	const struct ldap_limit limit = { .until_mono_ms = question->until_mono_ms };
	struct ldap_session *session = take_idle(ldap);
	int rc = 0;

	/* Servers end connections that nobody uses: that is found out by using one. */
	if (session && search_for(ldap, session, question, err)) {
		ldap_session_close(session);
		session = NULL;
	} else if (session) {
		give_back(ldap, session);
		return 0;
	}
	rc = ldap_session_open(ldap->setup, &limit, &session, err);
	if (rc)
		return rc;
	rc = search_for(ldap, session, question, err);
	if (rc)
		ldap_session_close(session);
	else
		give_back(ldap, session);
	return rc;
}

/* ---- reading */

struct reading {
	const struct source_ldap *ldap;
	struct source_reading *reading;
	struct mx_arena *mem;
	bool enough;
};

/* Times of one server have one form, and are as old as they are small. Spec: RFC 4517, 3.3.13. */
static void note_change(const struct reading *reading, const struct entry_reader *reader)
{
	const char *changed = first_value(reader, reading->ldap->conf->changed);
	char *newest = reading->reading->newest;
	size_t size = sizeof(reading->reading->newest);

	if (changed && strlen(changed) < size && strcmp(changed, newest) > 0)
		snprintf(newest, size, "%s", changed);
}

static bool read_entry(void *ctx, struct ldap_session *session, LDAPMessage *entry)
{
	struct reading *reading = ctx;
	const struct entry_reader reader = {
		.ldap = reading->ldap,
		.session = session,
		.entry = entry,
		.mem = reading->mem,
		.visit = reading->reading->visit,
		.ctx = reading->reading->ctx,
	};
	const char *user_id = user_of(&reader);

	note_change(reading, &reader);
	if (user_id)
		reading->enough = !read_addresses(&reader, user_id);
	else
		reading->reading->skipped++;
	mx_arena_reset(reading->mem);
	return !reading->enough;
}

static int read_pages(struct ldap_session *session, struct ldap_search *search,
		      struct reading *reading, struct mx_error *err)
{
	struct ldap_limit limit = { .stop = reading->reading->stop };
	int rc;

	do {
		limit.until_mono_ms = mx_mono_ms() + PAGE_MS;
		rc = ldap_session_search(session, search, &limit, err);
	} while (rc == 0 && search->cookie && !reading->enough);
	return rc;
}

static int read_all(void *state, struct source_reading *ctx, struct mx_error *err)
{
	struct source_ldap *ldap = state;
	mx_arena_auto *mem = mx_arena_new(0);
	struct reading reading = { ldap, ctx, mem, false };
	const struct ldap_limit limit = { mx_mono_ms() + ldap->conf->timeout_ms, ctx->stop };
	struct ldap_session *session;
	mx_str_auto filter = { 0 };
	struct ldap_search search = { .attributes = ldap->attributes,
				      .page_rows = PAGE_ROWS,
				      .visit = read_entry,
				      .ctx = &reading };
	int rc = ldap_session_open(ldap->setup, &limit, &session, err);

	if (rc)
		return rc;
	ldap_filter_all(&filter, ldap->conf, ctx->since);
	search.filter = filter.ptr;
	rc = read_pages(session, &search, &reading, err);
	ldap_search_done(&search);
	ldap_session_close(session);
	return rc;
}

/* ---- life */

static int open_ldap(const struct source_setup *setup, void **ret_state, struct mx_error *err)
{
	const struct source_conf *conf = setup->conf;
	struct source_ldap *ldap = mx_calloc(1, sizeof(*ldap));
	struct mx_slice user = user_template_attribute(conf->user_id);
	size_t len = 0;
	int version;

	(void)err;
	/* The library begins with the first call, which only one thread may make. */
	ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap->setup = setup;
	ldap->conf = conf;
	ldap->user_attribute = mx_strndup(user.ptr, user.len);
	for (unsigned i = 0; i < conf->email_count; i++)
		ldap->attributes[len++] = conf->email[i];
	for (unsigned i = 0; i < conf->msisdn_count; i++)
		ldap->attributes[len++] = conf->msisdn[i];
	ldap->attributes[len++] = ldap->user_attribute;
	ldap->attributes[len] = conf->changed;
	pthread_mutex_init(&ldap->lock, NULL);
	*ret_state = ldap;
	return 0;
}

static void close_ldap(void *state)
{
	struct source_ldap *ldap = state;

	for (size_t i = 0; i < ldap->idle_len; i++)
		ldap_session_close(ldap->idle[i]);
	pthread_mutex_destroy(&ldap->lock);
	mx_free(ldap->user_attribute);
	mx_free(ldap);
}

const struct source_kind source_ldap = {
	.open = open_ldap,
	.close = close_ldap,
	.ask_once = ASK_ONCE,
	.ask = ask,
	.read = read_all,
};

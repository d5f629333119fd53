#include "identity/account/terms.h"

#include "identity/account/terms_db.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"

struct terms {
	pthread_rwlock_t lock; /* everything below changes with a reload */
	struct mx_arena *mem;
	struct terms_document *documents;
	unsigned len;
};

/* ---- life */

static struct terms_language *copy_languages(const struct terms_document *document,
					     struct mx_arena *mem)
{
	struct terms_language *copies = mx_arena_calloc(mem, document->languages_count,
							sizeof(*copies));

	for (unsigned i = 0; i < document->languages_count; i++)
		copies[i] = (struct terms_language){
			.language = mx_arena_strdup(mem, document->languages[i].language),
			.name = mx_arena_strdup(mem, document->languages[i].name),
			.url = mx_arena_strdup(mem, document->languages[i].url),
		};
	return copies;
}

static void fill(struct terms *terms, const struct terms_document *documents, unsigned len)
{
	terms->mem = mx_arena_new(0);
	terms->documents = mx_arena_calloc(terms->mem, len, sizeof(*documents));
	terms->len = len;
	for (unsigned i = 0; i < len; i++)
		terms->documents[i] = (struct terms_document){
			.id = mx_arena_strdup(terms->mem, documents[i].id),
			.version = mx_arena_strdup(terms->mem, documents[i].version),
			.languages = copy_languages(&documents[i], terms->mem),
			.languages_count = documents[i].languages_count,
		};
}

struct terms *terms_new(const struct terms_document *documents, unsigned len)
{
	struct terms *terms = mx_calloc(1, sizeof(*terms));

	mx_rwlock_init(&terms->lock);
	fill(terms, documents, len);
	return terms;
}

void terms_set(struct terms *terms, const struct terms_document *documents, unsigned len)
{
	struct mx_arena *before;

	pthread_rwlock_wrlock(&terms->lock);
	before = terms->mem;
	fill(terms, documents, len);
	pthread_rwlock_unlock(&terms->lock);
	mx_arena_free(before);
}

void terms_free(struct terms *terms)
{
	if (!terms)
		return;
	mx_arena_free(terms->mem);
	pthread_rwlock_destroy(&terms->lock);
	mx_free(terms);
}

/* ---- the documents; the lock is held */

static struct terms_consent consent_of(const struct terms_document *document, unsigned language,
				       const char *user_id)
{
	return (struct terms_consent){
		.user_id = user_id,
		.document = document->id,
		.version = document->version,
		.url = document->languages[language].url,
	};
}

static int check_document(const struct terms_document *document, struct store_view *view,
			  const char *user_id, struct mx_arena *mem)
{
	int rc = -MX_NOT_FOUND;

	for (unsigned i = 0; rc == -MX_NOT_FOUND && i < document->languages_count; i++) {
		const struct terms_consent consent = consent_of(document, i, user_id);

		rc = terms_db_find(view, &consent, mem);
	}
	return rc;
}

static int add_consent(const struct identity_call *call, struct terms_consent *consent,
		       const struct terms_acceptance *acceptance)
{
	bool added;
	int rc;

	consent->client = acceptance->client;
	consent->at_ms = call->now_ms;
	rc = terms_db_add(call->txn, consent, &added);
	if (rc == 0 && added && acceptance->ret_added)
		*acceptance->ret_added = true;
	return rc;
}

/* All documents that have this URL: one page may hold several. */
static int accept_url(const struct identity_call *call, const struct terms_acceptance *acceptance,
		      const char *url, struct mx_error *err)
{
	const struct terms *terms = call->identity->terms;
	bool known = false;

	for (unsigned i = 0; i < terms->len; i++)
		for (unsigned k = 0; k < terms->documents[i].languages_count; k++) {
			struct terms_consent consent = consent_of(&terms->documents[i], k,
								  acceptance->user_id);
			int rc = 0;

			if (!streq(consent.url, url))
				continue;
			known = true;
			rc = add_consent(call, &consent, acceptance);
			if (rc)
				return rc;
		}
	if (!known)
		return mx_fail(err, MX_INVALID_PARAM, "One of the URLs is that of no document");
	return 0;
}

/* ---- */

json_t *terms_json(struct terms *terms)
{
	json_t *all;

	pthread_rwlock_rdlock(&terms->lock);
	all = terms_documents_json(terms->documents, terms->len);
	pthread_rwlock_unlock(&terms->lock);
	return all;
}

int terms_check(struct terms *terms, struct store_view *view, const char *user_id,
		struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	int rc = 0;

	pthread_rwlock_rdlock(&terms->lock);
	for (unsigned i = 0; rc == 0 && i < terms->len; i++)
		rc = check_document(&terms->documents[i], view, user_id, mem);
	pthread_rwlock_unlock(&terms->lock);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_TERMS_NOT_SIGNED, "The terms of service must be accepted");
	return rc;
}

int terms_accept(const struct identity_call *call, const struct terms_acceptance *acceptance,
		 struct mx_error *err)
{
	struct terms *terms = call->identity->terms;
	int rc = 0;

	pthread_rwlock_rdlock(&terms->lock);
	for (size_t i = 0; rc == 0 && i < json_array_size(acceptance->urls); i++)
		rc = accept_url(call, acceptance,
				json_string_value(json_array_get(acceptance->urls, i)), err);
	pthread_rwlock_unlock(&terms->lock);
	return rc;
}

int terms_accepted(const struct identity_call *call, const char *user_id, json_t **ret_list)
{
	struct terms_consents consents;
	int rc = terms_db_list(call, user_id, &consents);

	if (rc)
		return rc;
	*ret_list = json_array();
	for (size_t i = 0; i < consents.len; i++) {
		const struct terms_consent *consent = &consents.items[i];

		json_array_append_new(*ret_list,
				      json_pack("{s:s, s:s, s:s, s:s, s:I}", "document",
						consent->document, "version", consent->version,
						"url", consent->url, "client", consent->client,
						"accepted_ts", (json_int_t)consent->at_ms));
	}
	return 0;
}

int terms_forget(const struct identity_call *call, const char *user_id)
{
	struct terms_consents consents;
	int rc = terms_db_list(call, user_id, &consents);

	for (size_t i = 0; rc == 0 && i < consents.len; i++)
		terms_db_delete(call->txn, &consents.items[i]);
	return rc;
}

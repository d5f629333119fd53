/* Terms of service: who accepted which version of what, when and from where.
 * Spec: identity service API, "Terms of service". */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct identity_call;
struct mx_error;
struct store_view;
struct terms;
struct terms_document; /* identity_conf.h */

struct terms *terms_new(const struct terms_document *documents, unsigned len); /* copied */
void terms_set(struct terms *terms, const struct terms_document *documents, unsigned len);
void terms_free(struct terms *terms);

/* {"policies": …}; the caller owns it. */
json_t *terms_json(struct terms *terms);

/* -MX_TERMS_NOT_SIGNED unless the user accepted every document, in its present version, in any
 * of its languages. */
int terms_check(struct terms *terms, struct store_view *view, const char *user_id,
		struct mx_error *err);

/* What a user accepted: a list of {"document", "version", "url", "client", "accepted_ts"}, owned
 * by the caller. */
int terms_accepted(const struct identity_call *call, const char *user_id, json_t **ret_list);
/* Removes all of it. */
int terms_forget(const struct identity_call *call, const char *user_id);

struct terms_acceptance {
	const char *user_id;
	const json_t *urls; /* strings */
	const char *client; /* address */
	bool *ret_added; /* set if one of them was not accepted before; may be NULL */
};

/* Adds to what was accepted before. -MX_INVALID_PARAM, and nothing is stored, if one of them is
 * the URL of no document. */
int terms_accept(const struct identity_call *call, const struct terms_acceptance *acceptance,
		 struct mx_error *err);

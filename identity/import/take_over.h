/*
 * Taking over what another identity service has. Every item is checked as if anybody had sent it;
 * what is newer here stays, so the same items can come again and change nothing.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct identity;
struct mx_error;
struct store_table;

extern const struct store_table imported_table;

struct take_over {
	const json_t *items; /* as the schema identity/import has them */
	const char *source; /* whose they are: "sydent" */
	bool dry_run; /* nothing is kept */
};

/*
 * All of them in one transaction. *ret_outcomes: an array with a text for each, owned by the
 * caller: "new", "known", "older: …" for what is newer here, "unused: …" for what means nothing
 * here, or a reason why it cannot be: "bad_user: …".
 */
int take_over(struct identity *identity, const struct take_over *asked, json_t **ret_outcomes,
	      struct mx_error *err);

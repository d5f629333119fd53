/* Records of accepted documents. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct identity_call;
struct mx_arena;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table terms_table;

struct terms_consent {
	const char *user_id, *document, *version, *url;
	const char *client; /* address that it came from */
	int64_t at_ms;
};

/* Keeps what is there: the first consent is the one that counts as proof. */
int terms_db_add(struct store_txn *txn, const struct terms_consent *consent, bool *ret_added);

struct terms_consents {
	struct terms_consent *items;
	size_t len;
};

/* All of a user, in call->mem; by call->txn, or call->view without one. */
int terms_db_list(const struct identity_call *call, const char *user_id,
		  struct terms_consents *ret_consents);
void terms_db_delete(struct store_txn *txn, const struct terms_consent *consent);

/* 0 or -MX_NOT_FOUND. By user, document, version and URL. */
int terms_db_find(struct store_view *view, const struct terms_consent *consent,
		  struct mx_arena *mem);

/* Records of bindings: who is bound, whom a user has, and our log in the order of commits. */
#pragma once

#include "identity/binding/binding.h"
#include "shared/store/store_reader.h"

struct store_key;
struct store_rows;

/* (medium, address), also of what is kept beside bindings. Reading: false on bytes that nobody
 * wrote. */
struct store_key binding_db_key(const struct threepid *threepid);
bool binding_db_read_key(struct mx_slice key, struct mx_arena *mem, struct threepid *ret_threepid);
/* The smallest key that comes next; key is a copy in an arena. */
struct mx_slice binding_db_key_after(struct mx_arena *mem, struct mx_slice key);

/* -MX_NOT_FOUND; -MX_STORE for a record that nobody wrote. Strings in mem. */
int binding_db_load(const struct store_reader *reader, const struct threepid *threepid,
		    struct binding *ret_binding);
/* With its rows of the index and the log. */
void binding_db_delete(struct store_txn *txn, const struct binding *binding);
/* In place of `old` (NULL = there was none), with its rows of the index and the log. */
void binding_db_put(struct store_txn *txn, const struct binding *old,
		    const struct binding *binding);

/* The last number given in our log. Two transactions that take the next one conflict: numbers
 * grow with commits, so a reader of the log never passes over one that comes later. */
int binding_db_last_number(struct store_txn *txn, struct mx_arena *mem, uint64_t *ret_number);
void binding_db_put_last_number(struct store_txn *txn, uint64_t number);

int binding_db_of_user(const struct store_reader *reader, const char *user_id,
		       const struct page *page, struct binding_list *ret_list);
int binding_db_log(const struct store_reader *reader, uint64_t after, size_t limit,
		   struct binding **ret_items, size_t *ret_len);

/* A page of the table behind the key `after` (empty: from the start), in its order. Rows read by
 * a transaction are part of what it checks. *ret_next: for the next page. */
struct binding_page {
	struct binding *items;
	size_t len;
	struct mx_slice next; /* ptr NULL at the end */
};

int binding_db_page(const struct store_reader *reader, struct mx_slice after, size_t limit,
		    struct binding_page *ret_page);

int binding_db_each(struct store *store, void (*visit)(void *ctx, const struct binding *binding),
		    void *ctx, struct mx_error *err);

/* What text messages have cost: (period, country) → amount and count. */
#pragma once

#include <stdint.h>

struct mx_error;
struct store;
struct store_table;
struct store_txn;

extern const struct store_table sms_spend_table;

/* Adds one message to a period, "2026-11-21" or "2026-11". Errors stick to txn. */
void sms_spend_db_add(struct store_txn *txn, const char *period, const char *country,
		      int64_t micros);

/* Forgets all days before one, or all months before one. */
void sms_spend_db_forget(struct store_txn *txn, const char *before);

/* Of all countries. */
int sms_spend_db_sum(struct store *store, const char *period, int64_t *ret_micros,
		     struct mx_error *err);

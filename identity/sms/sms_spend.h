/* The spend cap: what a day and a month of text messages may cost. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mx_error;
struct mx_metrics;
struct sms_spend;
struct store;
struct store_txn;

/* In millionths; 0 = no cap. */
struct sms_caps {
	int64_t day, month;
	unsigned alarm_percent; /* of a cap: logged as an error, once a period */
};

/* metrics: sms_spend{period}, sms_spend_cap{period}, sms_spend_alarms_total. */
struct sms_spend *sms_spend_new(struct store *store, struct mx_metrics *metrics);
void sms_spend_set(struct sms_spend *spend, const struct sms_caps *caps);
void sms_spend_free(struct sms_spend *spend);

/* Whether there is money left for one more: -MX_DESTINATION_REJECTED. */
int sms_spend_check(struct sms_spend *spend, int64_t micros, struct mx_error *err);

/* The same, and keeps it for a message that is about to be sent; sms_spend_end() gives it back
 * or counts it as spent. Parallel sends cannot pass the cap together. */
int sms_spend_begin(struct sms_spend *spend, int64_t micros, struct mx_error *err);
void sms_spend_end(struct sms_spend *spend, int64_t micros, bool is_spent);

/* Writes what a message has cost, in the transaction that ends it. */
void sms_spend_note(struct store_txn *txn, const char *country, int64_t micros);

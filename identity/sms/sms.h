/* Text messages: which gateway, from whom, whether at all. */
#pragma once

#include "shared/outbox/outbox.h"

#include <stdbool.h>
#include <stdint.h>

struct budgets;
struct mx_error;
struct mx_metrics;
struct net;
struct outbox;
struct sms;
struct store;
struct store_txn;
struct store_table;

extern const struct store_table sms_spend_table;

struct sms_conf; /* sms_conf.h: the `sms` section */

struct sms_needs {
	struct net *net;
	struct store *store;
	struct mx_metrics *metrics;
};

/* -MX_BAD_CONFIG. conf NULL or without a gateway: every number is refused. */
int sms_new(const struct sms_conf *conf, const struct sms_needs *needs, struct sms **ret_sms,
	    struct mx_error *err);
int sms_set(struct sms *sms, const struct sms_conf *conf, struct mx_error *err);
void sms_free(struct sms *sms);
struct outbox_kind sms_kind(struct sms *sms); /* "sms" */
void sms_use(struct sms *sms, struct outbox *outbox);

/* Country rules, premium ranges and the spend cap: -MX_DESTINATION_REJECTED. */
int sms_may_send(struct sms *sms, const char *msisdn, struct mx_error *err);

/* Queues the text. The originator of the number's country is chosen by the number, so a retry has
 * the same sender. */
int sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
	    uint64_t *ret_id, struct mx_error *err);

/* To whom a text that waits in the outbox goes, by the payload of its item; owned by the caller.
 * NULL if it is none. */
char *sms_recipient(struct mx_slice payload);

/* Whether a message of late was taken by the gateway; else why the last three were not. */
bool sms_is_well(struct sms *sms, char ret_why_not[256]);

/* Waits; for `sms test`. */
enum outbox_result sms_send(struct sms *sms, const char *msisdn, const char *text,
			    struct mx_error *err);

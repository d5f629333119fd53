#include "identity/sms/sms.h"

#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_rules.h"
#include "identity/sms/sms_settings.h"
#include "identity/sms/sms_spend.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/phone/phone.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdio.h>

#define KIND     "sms"
#define TEXT_MAX 1600 /* bytes: what gateways take in one message */
#define FIRST_MS (5 * MX_SECOND_MS)
#define MAX_MS   (5 * MX_MINUTE_MS)

#define FAILURES_MAX 3 /* one number that is wrong says nothing of the gateway */

struct sms {
	struct net *net;
	struct store *store;
	struct outbox *outbox;
	struct sms_spend *spend;
	struct mx_metric *rejected;
	pthread_mutex_t lock; /* of the fields below; never held while sending */
	struct sms_settings *settings;
	unsigned failures; /* in a row */
	char why_not[256]; /* of the last one */
};

static struct sms_settings *settings_of(struct sms *sms)
{
	struct sms_settings *settings;

	pthread_mutex_lock(&sms->lock);
	settings = sms_settings_ref(sms->settings);
	pthread_mutex_unlock(&sms->lock);
	return settings;
}

/* ---- life */

static void set_caps(struct sms *sms, const struct sms_conf *conf)
{
	struct sms_caps caps = { .alarm_percent = conf->spend.alarm_percent };

	if (conf->spend.per_day)
		sms_amount_parse(conf->spend.per_day, &caps.day);
	if (conf->spend.per_month)
		sms_amount_parse(conf->spend.per_month, &caps.month);
	sms_spend_set(sms->spend, &caps);
}

int sms_new(const struct sms_conf *conf, const struct sms_needs *needs, struct sms **ret_sms,
	    struct mx_error *err)
{
	struct sms_settings *settings;
	struct sms *sms;
	int rc = sms_settings_new(conf, &settings, err);

	if (rc)
		return rc;
	sms = mx_calloc(1, sizeof(*sms));
	pthread_mutex_init(&sms->lock, NULL);
	sms->net = needs->net;
	sms->store = needs->store;
	sms->settings = settings;
	sms->spend = sms_spend_new(needs->store, needs->metrics);
	set_caps(sms, settings->conf);
	if (needs->metrics)
		sms->rejected = mx_counter_new(needs->metrics, "sms_rejected_total",
					       "Numbers that get no text message by our rules", "");
	*ret_sms = sms;
	return 0;
}

int sms_set(struct sms *sms, const struct sms_conf *conf, struct mx_error *err)
{
	struct sms_settings *settings, *before;
	int rc = sms_settings_new(conf, &settings, err);

	if (rc)
		return rc;
	set_caps(sms, settings->conf);
	pthread_mutex_lock(&sms->lock);
	before = sms->settings;
	sms->settings = settings;
	sms->failures = 0;
	pthread_mutex_unlock(&sms->lock);
	sms_settings_unref(before);
	return 0;
}

void sms_free(struct sms *sms)
{
	if (!sms)
		return;
	sms_settings_unref(sms->settings);
	sms_spend_free(sms->spend);
	pthread_mutex_destroy(&sms->lock);
	mx_free(sms);
}

void sms_use(struct sms *sms, struct outbox *outbox)
{
	sms->outbox = outbox;
}

/* ---- the payload: number, country, price, text. Sender and gateway are those of the time when
 * it is sent, so that an operator who mends them mends what waits too. */

struct payload {
	char msisdn[PHONE_DIGITS_MAX + 1], country[8];
	int64_t micros;
	char *text;
};

static void write_payload(const struct payload *payload, struct mx_str *out)
{
	record_begin(out, 1);
	record_put_bytes(out, mx_slice(payload->msisdn));
	record_put_bytes(out, mx_slice(payload->country));
	record_put_i64(out, payload->micros);
	record_put_bytes(out, mx_slice(payload->text));
}

static void read_text(struct record_reader *reader, char *text, size_t size)
{
	struct mx_slice bytes = record_bytes(reader);

	snprintf(text, size, "%.*s", bytes.ptr ? (int)bytes.len : 0, bytes.ptr ? bytes.ptr : "");
}

/* text is the caller's (mx_free), also on failure. */
static bool read_payload(struct mx_slice bytes, struct payload *ret_payload)
{
	struct record_reader reader = record_open(bytes);
	struct mx_slice text;

	read_text(&reader, ret_payload->msisdn, sizeof(ret_payload->msisdn));
	read_text(&reader, ret_payload->country, sizeof(ret_payload->country));
	ret_payload->micros = record_i64(&reader);
	text = record_bytes(&reader);
	ret_payload->text = mx_strndup(text.ptr ? text.ptr : "", text.len);
	return record_ok(&reader);
}

char *sms_recipient(struct mx_slice bytes)
{
	struct payload payload;
	bool read = read_payload(bytes, &payload);

	mx_free(payload.text);
	return read ? mx_strdup(payload.msisdn) : NULL;
}

static void name_country(const struct phone *phone, char ret_country[8])
{
	if (*phone->region)
		snprintf(ret_country, 8, "%s", phone->region);
	else
		snprintf(ret_country, 8, "+%d", phone->calling_code);
}

/* ---- rules */

static int check_number(const struct sms_settings *settings, const char *msisdn,
			struct phone *ret_phone, struct mx_error *err)
{
	if (!settings->transport)
		return mx_fail(err, MX_DESTINATION_REJECTED, "No text messages are sent from here");
	if (!phone_of_msisdn(msisdn, ret_phone))
		return mx_fail(err, MX_DESTINATION_REJECTED, "That is no phone number");
	return sms_rules_check(settings->conf, ret_phone, err);
}

static int check(struct sms *sms, const struct sms_settings *settings, const char *msisdn,
		 struct phone *ret_phone, struct mx_error *err)
{
	int rc = check_number(settings, msisdn, ret_phone, err);

	if (rc == 0)
		rc = sms_spend_check(sms->spend, sms_rules_price(settings->conf, ret_phone), err);
	if (rc == -MX_DESTINATION_REJECTED)
		mx_metric_add(sms->rejected, 1);
	return rc;
}

int sms_may_send(struct sms *sms, const char *msisdn, struct mx_error *err)
{
	struct sms_settings *settings = settings_of(sms);
	struct phone phone;
	int rc = check(sms, settings, msisdn, &phone, err);

	sms_settings_unref(settings);
	return rc;
}

/* ---- sending */

struct sending {
	struct sms *sms;
	const struct sms_settings *settings;
	const struct outbox_item *item; /* NULL: not from the outbox */
	const char *msisdn, *text;
	int64_t micros;
};

/* The cap is asked again: the message may have waited while others spent it. */
static enum outbox_result send_paid(const struct sending *sending, const struct phone *phone,
				    struct mx_error *err)
{
	const struct sms_message message = {
		.to = sending->msisdn,
		.from = sms_rules_originator(sending->settings->conf, phone),
		.text = sending->text,
		.hurry = sending->item ? sending->item->hurry : NULL,
	};
	enum outbox_result result = OUTBOX_AGAIN;

	/* Before anything can leave: a process that dies after it does not send again. */
	if (!sending->item || outbox_no_return(sending->sms->outbox, sending->item, err) == 0)
		result = sms_transport_send(sending->sms->net, sending->settings, &message, err);
	return result;
}

static void note(struct sms *sms, enum outbox_result result, const struct mx_error *err)
{
	pthread_mutex_lock(&sms->lock);
	sms->failures = result == OUTBOX_SENT ? 0 : sms->failures + 1;
	snprintf(sms->why_not, sizeof(sms->why_not), "%s",
		 result == OUTBOX_SENT || !err ? "" : err->text);
	pthread_mutex_unlock(&sms->lock);
}

bool sms_is_well(struct sms *sms, char ret_why_not[256])
{
	bool is_well;

	pthread_mutex_lock(&sms->lock);
	is_well = sms->failures < FAILURES_MAX;
	if (!is_well)
		snprintf(ret_why_not, 256, "the last %u text messages failed: %.200s",
			 sms->failures, sms->why_not);
	pthread_mutex_unlock(&sms->lock);
	return is_well;
}

static enum outbox_result send(const struct sending *sending, struct mx_error *err)
{
	struct sms_spend *spend = sending->sms->spend;
	struct phone phone;
	enum outbox_result result;
	int rc = check_number(sending->settings, sending->msisdn, &phone, err);

	if (rc == 0)
		rc = sms_spend_begin(spend, sending->micros, err);
	if (rc)
		return rc == -MX_DESTINATION_REJECTED ? OUTBOX_REFUSED : OUTBOX_AGAIN;
	result = send_paid(sending, &phone, err);
	note(sending->sms, result, err);
	sms_spend_end(spend, sending->micros, result == OUTBOX_SENT || result == OUTBOX_UNSURE);
	return result;
}

static enum outbox_result send_item(void *ctx, const struct outbox_item *item, struct mx_error *err)
{
	struct sms *sms = ctx;
	struct sms_settings *settings = settings_of(sms);
	enum outbox_result result = OUTBOX_REFUSED;
	struct payload payload;

	if (read_payload(item->payload, &payload))
		result = send(&(struct sending){ .sms = sms,
						 .settings = settings,
						 .item = item,
						 .msisdn = payload.msisdn,
						 .text = payload.text,
						 .micros = payload.micros },
			      err);
	else
		mx_fail(err, MX_STORE, "The stored text message is damaged");
	mx_free(payload.text);
	sms_settings_unref(settings);
	return result;
}

/* What may have been sent has cost something. */
static void item_ended(void *ctx, struct store_txn *txn, const struct outbox_item *item,
		       enum outbox_result result)
{
	struct payload payload;

	(void)ctx;
	if (read_payload(item->payload, &payload) &&
	    (result == OUTBOX_SENT || result == OUTBOX_UNSURE))
		sms_spend_note(txn, payload.country, payload.micros);
	mx_free(payload.text);
}

struct outbox_kind sms_kind(struct sms *sms)
{
	const struct sms_conf *conf = sms->settings->conf;

	return (struct outbox_kind){
		.name = KIND,
		.first_ms = FIRST_MS,
		.max_ms = MAX_MS,
		.give_up_ms = (conf->give_up_minutes ? conf->give_up_minutes : 60) * MX_MINUTE_MS,
		.parallel = conf->parallel ? conf->parallel : 1,
		.lane_pause_ms = conf->pause_ms,
		.send = send_item,
		.ended = item_ended,
		.ctx = sms,
	};
}

static void queue(struct sms *sms, struct store_txn *txn, const struct payload *payload,
		  uint64_t *ret_id)
{
	mx_str_auto bytes = { 0 };

	write_payload(payload, &bytes);
	*ret_id = outbox_add(sms->outbox, txn,
			     &(struct outbox_new_item){ .kind = KIND,
							.lane = MX_SLICE(KIND),
							.payload = mx_str_slice(&bytes) });
}

int sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
	    uint64_t *ret_id, struct mx_error *err)
{
	struct sms_settings *settings = settings_of(sms);
	struct payload payload = { .text = (char *)text };
	struct phone phone;
	int rc = check(sms, settings, msisdn, &phone, err);

	if (rc == 0 && strlen(text) > TEXT_MAX)
		rc = mx_fail(err, MX_TOO_LARGE, "The text message is too long");
	if (rc == 0) {
		snprintf(payload.msisdn, sizeof(payload.msisdn), "%s", phone.msisdn);
		name_country(&phone, payload.country);
		payload.micros = sms_rules_price(settings->conf, &phone);
		queue(sms, txn, &payload, ret_id);
	}
	sms_settings_unref(settings);
	return rc;
}

/* ---- without the outbox */

static void note_cost(struct sms *sms, const struct phone *phone, int64_t micros)
{
	char country[8];
	int rc;

	name_country(phone, country);
	do {
		struct store_txn *txn = store_txn_begin(sms->store);

		sms_spend_note(txn, country, micros);
		rc = store_txn_commit(txn, NULL);
	} while (rc == -MX_CONFLICT);
}

enum outbox_result sms_send(struct sms *sms, const char *msisdn, const char *text,
			    struct mx_error *err)
{
	struct sms_settings *settings = settings_of(sms);
	struct sending sending = {
		.sms = sms, .settings = settings, .msisdn = msisdn, .text = text
	};
	enum outbox_result result = OUTBOX_REFUSED;
	struct phone phone;

	if (check(sms, settings, msisdn, &phone, err) == 0) {
		sending.micros = sms_rules_price(settings->conf, &phone);
		result = send(&sending, err);
		if (result == OUTBOX_SENT || result == OUTBOX_UNSURE)
			note_cost(sms, &phone, sending.micros);
	}
	sms_settings_unref(settings);
	return result;
}

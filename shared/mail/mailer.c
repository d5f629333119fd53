#include "shared/mail/mailer.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/mail/address.h"
#include "shared/mail/relay_watch.h"
#include "shared/store/record.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define PARALLEL        8
#define PER_DOMAIN      2
#define DOMAIN_PAUSE_MS 200
#define FIRST_MS        (30 * MX_SECOND_MS)
#define MAX_MS          MX_HOUR_MS

/* A configuration in use; released with its last mail. */
struct relay {
	_Atomic unsigned refs;
	struct smtp_conf smtp;
	char *from, *from_address;
};

struct mailer {
	pthread_mutex_t lock; /* of the fields below; never held while sending */
	struct relay *relay;
	struct relay_watch *watch;
	struct outbox *outbox;
	unsigned per_domain;
	int64_t domain_pause_ms, give_up_ms;
};

/* ---- configurations */

static const char *copy(const char *text)
{
	return text ? mx_strdup(text) : NULL;
}

static void forget_secret(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	mx_free(secret);
}

static void relay_unref(struct relay *relay)
{
	if (!relay || atomic_fetch_sub(&relay->refs, 1) > 1)
		return;
	mx_free((char *)relay->smtp.host);
	mx_free((char *)relay->smtp.user);
	forget_secret((char *)relay->smtp.password);
	mx_free((char *)relay->smtp.hello);
	mx_free((char *)relay->smtp.ca_file);
	mx_free(relay->from);
	mx_free(relay->from_address);
	mx_free(relay);
}

static int relay_new(const struct mailer_conf *conf, struct relay **ret_relay, struct mx_error *err)
{
	struct mx_slice sender = mail_from_address(conf->from);
	struct mail_address address;
	struct mx_error why = { 0 };
	struct relay *relay;

	if (mail_address_parse(sender, &address, &why))
		return mx_fail(err, MX_BAD_CONFIG, "The sender of mails: %s", why.text);
	mail_address_done(&address);
	relay = mx_calloc(1, sizeof(*relay));
	atomic_init(&relay->refs, 1);
	relay->smtp = conf->smtp;
	relay->smtp.host = copy(conf->smtp.host);
	relay->smtp.user = copy(conf->smtp.user);
	relay->smtp.password = copy(conf->smtp.password);
	relay->smtp.hello = copy(conf->smtp.hello);
	relay->smtp.ca_file = copy(conf->smtp.ca_file);
	relay->from = mx_strdup(conf->from);
	relay->from_address = mx_strndup(sender.ptr, sender.len);
	*ret_relay = relay;
	return 0;
}

static struct relay *relay_ref(struct mailer *mailer)
{
	struct relay *relay;

	pthread_mutex_lock(&mailer->lock);
	relay = mailer->relay;
	atomic_fetch_add(&relay->refs, 1);
	pthread_mutex_unlock(&mailer->lock);
	return relay;
}

/* ---- life */

static int probe(void *ctx, const _Atomic bool *hurry, struct mx_error *err)
{
	struct relay *relay = relay_ref(ctx);
	int rc = smtp_probe(&relay->smtp, hurry, err);

	relay_unref(relay);
	return rc;
}

int mailer_new(const struct mailer_conf *conf, struct mailer **ret_mailer, struct mx_error *err)
{
	struct mailer *mailer;
	struct relay *relay;
	int rc = relay_new(conf, &relay, err);

	if (rc)
		return rc;
	mailer = mx_calloc(1, sizeof(*mailer));
	pthread_mutex_init(&mailer->lock, NULL);
	mailer->relay = relay;
	mailer->watch = relay_watch_new(probe, mailer);
	mailer->per_domain = conf->per_domain ? conf->per_domain : PER_DOMAIN;
	mailer->domain_pause_ms = conf->domain_pause_ms ? conf->domain_pause_ms : DOMAIN_PAUSE_MS;
	mailer->give_up_ms = conf->give_up_ms ? conf->give_up_ms : MX_DAY_MS;
	*ret_mailer = mailer;
	return 0;
}

int mailer_set(struct mailer *mailer, const struct mailer_conf *conf, struct mx_error *err)
{
	struct relay *relay, *before;
	int rc = relay_new(conf, &relay, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&mailer->lock);
	before = mailer->relay;
	mailer->relay = relay;
	pthread_mutex_unlock(&mailer->lock);
	relay_unref(before);
	relay_watch_reset(mailer->watch);
	return 0;
}

void mailer_watch(struct mailer *mailer)
{
	relay_watch_start(mailer->watch);
}

void mailer_watch_stop(struct mailer *mailer)
{
	relay_watch_stop(mailer->watch);
}

void mailer_free(struct mailer *mailer)
{
	if (!mailer)
		return;
	relay_watch_free(mailer->watch);
	relay_unref(mailer->relay);
	pthread_mutex_destroy(&mailer->lock);
	mx_free(mailer);
}

/* ---- the payload: sender, recipient, SMTPUTF8, message */

static void write_payload(const struct smtp_message *message, struct mx_str *out)
{
	record_begin(out, 1);
	record_put_bytes(out, mx_slice(message->from));
	record_put_bytes(out, mx_slice(message->to));
	record_put_u64(out, message->needs_utf8);
	record_put_bytes(out, message->bytes);
}

struct payload {
	char *from, *to;
	bool needs_utf8;
	struct mx_slice bytes; /* borrowed */
};

static char *text_of(struct mx_slice text)
{
	return mx_strndup(text.ptr ? text.ptr : "", text.len);
}

static bool read_payload(struct mx_slice bytes, struct payload *ret_payload)
{
	struct record_reader reader = record_open(bytes);

	ret_payload->from = text_of(record_bytes(&reader));
	ret_payload->to = text_of(record_bytes(&reader));
	ret_payload->needs_utf8 = record_u64(&reader) != 0;
	ret_payload->bytes = record_bytes(&reader);
	return record_ok(&reader);
}

static void payload_done(struct payload *payload)
{
	mx_free(payload->from);
	mx_free(payload->to);
}

char *mailer_recipient(struct mx_slice bytes)
{
	struct payload payload;
	char *to = NULL;

	if (read_payload(bytes, &payload))
		to = mx_steal(&payload.to);
	payload_done(&payload);
	return to;
}

/* ---- sending */

struct ending {
	struct mailer *mailer;
	const struct outbox_item *item;
	struct mx_error err; /* of ours: nothing that the relay could help */
};

static int before_end(void *ctx)
{
	struct ending *ending = ctx;

	return outbox_no_return(ending->mailer->outbox, ending->item, &ending->err);
}

static enum outbox_result send_mail(void *ctx, const struct outbox_item *item, struct mx_error *err)
{
	struct mailer *mailer = ctx;
	struct ending ending = { .mailer = mailer, .item = item };
	struct relay *relay = relay_ref(mailer);
	enum outbox_result result = OUTBOX_REFUSED;
	struct payload payload;

	if (read_payload(item->payload, &payload)) {
		const struct smtp_message message = { .from = payload.from,
						      .to = payload.to,
						      .needs_utf8 = payload.needs_utf8,
						      .bytes = payload.bytes,
						      .before_end = before_end,
						      .ctx = &ending,
						      .hurry = item->hurry };

		result = smtp_send(&relay->smtp, &message, err);
		if (ending.err.code)
			*err = ending.err;
		else
			relay_watch_note(mailer->watch, result, err);
	} else {
		mx_fail(err, MX_STORE, "The stored mail is damaged");
	}
	payload_done(&payload);
	relay_unref(relay);
	return result;
}

struct outbox_kind mailer_kind(struct mailer *mailer)
{
	return (struct outbox_kind){
		.name = "mail",
		.first_ms = FIRST_MS,
		.max_ms = MAX_MS,
		.give_up_ms = mailer->give_up_ms,
		.parallel = PARALLEL,
		.lane_parallel = mailer->per_domain,
		.lane_pause_ms = mailer->domain_pause_ms,
		.send = send_mail,
		.ctx = mailer,
	};
}

void mailer_use(struct mailer *mailer, struct outbox *outbox)
{
	mailer->outbox = outbox;
}

static int queue(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
		 const struct smtp_message *message, uint64_t *ret_id, struct mx_error *err)
{
	mx_str_auto payload = { 0 };

	write_payload(message, &payload);
	if (payload.len > OUTBOX_PAYLOAD_MAX)
		return mx_fail(err, MX_TOO_LARGE, "The mail is too large");
	*ret_id = outbox_add(mailer->outbox, txn,
			     &(struct outbox_new_item){ .kind = "mail",
							.lane = mx_slice(to->domain),
							.payload = mx_str_slice(&payload) });
	return 0;
}

static int format(const struct relay *relay, const struct mail_address *to, const struct mail *mail,
		  struct mx_str *out, struct mx_error *err)
{
	struct mail filled = *mail;
	char id[MAIL_ID_MAX];

	filled.to = to->envelope;
	if (!filled.from)
		filled.from = relay->from;
	return mail_format(&filled, mx_now_ms(), out, id, err);
}

int mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
	       const struct mail *mail, uint64_t *ret_id, struct mx_error *err)
{
	struct relay *relay = relay_ref(mailer);
	mx_str_auto bytes = { 0 };
	int rc = format(relay, to, mail, &bytes, err);

	if (rc == 0)
		rc = queue(mailer, txn, to,
			   &(struct smtp_message){ .from = relay->from_address,
						   .to = to->envelope,
						   .needs_utf8 = to->needs_utf8,
						   .bytes = mx_str_slice(&bytes) },
			   ret_id, err);
	relay_unref(relay);
	return rc;
}

enum outbox_result mailer_send(struct mailer *mailer, const struct mail_address *to,
			       const struct mail *mail, struct smtp_trace *trace,
			       struct mx_error *err)
{
	struct relay *relay = relay_ref(mailer);
	enum outbox_result result = OUTBOX_REFUSED;
	mx_str_auto bytes = { 0 };

	if (format(relay, to, mail, &bytes, err) == 0) {
		const struct smtp_message message = { .from = relay->from_address,
						      .to = to->envelope,
						      .needs_utf8 = to->needs_utf8,
						      .bytes = mx_str_slice(&bytes),
						      .trace = trace };

		result = smtp_send(&relay->smtp, &message, err);
		relay_watch_note(mailer->watch, result, err);
	}
	relay_unref(relay);
	return result;
}

bool mailer_is_well(struct mailer *mailer, char ret_why_not[256])
{
	return relay_watch_is_well(mailer->watch, ret_why_not);
}

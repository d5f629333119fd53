/* What the identity service's modules share. Everything here lives from start to stop; each
 * module takes a reload itself. */
#pragma once

#include <stdint.h>

struct audit;
struct budgets;
struct chores;
struct daemon;
struct identity_conf;
struct internal;
struct key_fetcher;
struct key_history;
struct key_ring;
struct key_waits;
struct long_term_keys;
struct mailer;
struct names;
struct mx_metric;
struct mx_metrics;
struct mx_arena;
struct mx_error;
struct net;
struct outbox;
struct pepper;
struct sms;
struct replication;
struct sources;
struct req;
struct route;
struct store;
struct store_reader;
struct store_txn;
struct store_view;
struct template_set;
struct terms;

/* What is counted where it happens; census.c makes them. NULL counts nothing. */
struct identity_counters {
	struct mx_metric *lookups, *lookup_hits;
	struct mx_metric *sessions[2], *validated[2]; /* e-mail, msisdn */
	struct mx_metric *bindings, *open_sessions, *pending_invites, *accounts; /* gauges */
};

struct identity {
	const struct identity_conf *conf; /* of the start: for what only a restart changes */
	const struct identity_conf *_Atomic newest; /* see conf_of(); NULL before a reload */
	struct daemon *daemon;
	const struct route **routes; /* without the groups that are off */
	struct mx_metrics *metrics;
	struct store *store;
	struct net *net;
	struct key_history *history; /* of homeservers' keys: signed unbinds */
	struct key_fetcher *fetcher;
	struct key_ring *key_ring;
	struct key_waits *key_waits;
	struct long_term_keys *keys;
	struct template_set *templates;
	struct outbox *outbox;
	struct mailer *mailer;
	struct sms *sms;
	struct budgets *budgets;
	struct pepper *pepper;
	struct sources *sources; /* NULL: there are none */
	struct terms *terms;
	struct audit *audit;
	struct replication *replication; /* NULL: there are no peers */
	struct internal *internal; /* NULL: its endpoints are off */
	struct chores *chores;
	struct identity_counters counters;
	int64_t census_due_ms; /* monotonic; the chores' */
	int64_t started_ms;
};

/* What one piece of work is done with: mostly a request's, see call_of(). */
struct identity_call {
	struct identity *identity;
	struct store_txn *txn; /* where the function's comment wants one… */
	struct store_view *view; /* …or only reads */
	struct mx_arena *mem;
	int64_t now_ms;
};

/* Of a handler: r->txn or r->view, whichever its route has. */
struct identity_call call_of(struct req *r);

/* What it reads through, for _db.c files. */
struct store_reader reader_of(const struct identity_call *call);

struct claim_call;
/* The same for validation sessions, and back. */
struct claim_call claim_call_of(struct identity_call call);
struct identity_call identity_call_of(struct identity *identity, const struct claim_call *call);

/* The configuration in force, for what a reload changes. It stays valid for an hour after the next
 * one: for anything that begins now. */
const struct identity_conf *conf_of(const struct identity *identity);

/* Opens everything in its order. */
int identity_start(struct daemon *daemon, const void *conf, void **ret_identity,
		   struct mx_error *err);
/* Backwards; also what a failed start left. */
void identity_stop(void *identity);
/* What fails keeps what it had. */
void identity_reload(void *identity, const void *conf);
/* For readiness: why no mail or text message can be sent; NULL if it can, or if none is to be. */
const char *identity_mail_why_not(void *identity);
/* The same for sources of bindings: which one fails. */
const char *identity_sources_why_not(void *identity);
const char *identity_sms_why_not(void *identity);

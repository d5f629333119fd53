#include "identity/identity.h"

#include "identity/account/authenticate.h"
#include "identity/account/terms.h"
#include "identity/audit/audit.h"
#include "identity/bind/internal.h"
#include "identity/bind/key_waits.h"
#include "identity/binding/lookup.h"
#include "identity/budget_kinds.h"
#include "identity/census.h"
#include "identity/identity_conf.h"
#include "identity/long_term_keys.h"
#include "identity/message/templates.h"
#include "identity/open.h"
#include "identity/reaping.h"
#include "identity/replication/replication.h"
#include "identity/routes.h"
#include "identity/settings.h"
#include "identity/sms/sms.h"
#include "identity/source/source.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/daemon/chores.h"
#include "shared/daemon/daemon.h"
#include "shared/http/request.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_ring.h"
#include "shared/mail/mailer.h"
#include "shared/mail/template.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store_reader.h"
#include "shared/threepid/claim.h"

#include <stdatomic.h>

/* What is being sent may end; the process has ten seconds in all. */
#define OUTBOX_GRACE_MS 3000

int identity_start(struct daemon *daemon, const void *conf, void **ret_identity,
		   struct mx_error *err)
{
	struct identity *identity = mx_calloc(1, sizeof(*identity));
	int rc;

	identity->conf = conf;
	identity->daemon = daemon;
	identity->metrics = daemon_metrics(daemon);
	identity->started_ms = mx_now_ms();
	identity->routes = identity_routes_of(conf);
	identity_limits(daemon, conf);
	daemon_routes(daemon, identity->routes);
	daemon_authenticate(daemon, account_authenticate);
	census_open(identity);
	rc = identity_open(identity, err);
	if (rc) {
		identity_stop(identity);
		return rc;
	}
	identity->chores = chores_start(identity, reaping_chores, reaping_chores_len);
	*ret_identity = identity;
	return 0;
}

void identity_stop(void *ctx)
{
	struct identity *identity = ctx;

	replication_close(identity->replication);
	chores_stop(identity->chores);
	sources_stop(identity->sources);
	if (identity->mailer)
		mailer_watch_stop(identity->mailer);
	if (identity->pepper)
		pepper_stop(identity->pepper);
	if (identity->outbox)
		outbox_stop(identity->outbox, OUTBOX_GRACE_MS);
	if (identity->fetcher)
		key_fetch_save(identity->fetcher, NULL);
	key_waits_free(identity->key_waits);
	key_ring_free(identity->key_ring);
	key_fetcher_free(identity->fetcher);
	key_history_free(identity->history);
	internal_free(identity->internal);
	terms_free(identity->terms);
	audit_free(identity->audit);
	sources_free(identity->sources);
	pepper_free(identity->pepper);
	outbox_free(identity->outbox);
	sms_free(identity->sms);
	mailer_free(identity->mailer);
	budgets_free(identity->budgets);
	template_set_free(identity->templates);
	long_term_keys_free(identity->keys);
	mx_free(identity->routes);
	mx_free(identity);
}

/* Whether there is a mailer at all is decided at the start. */
static void reload_mail(struct identity *identity, const struct identity_conf *conf)
{
	struct mx_error err = { 0 };

	if (!identity->mailer != !conf->mail.relay)
		daemon_key_waits("mail.relay");
	else if (identity->mailer &&
		 mail_conf_apply(&conf->mail, identity->conf->server_name, &identity->mailer, &err))
		daemon_part_stays("mail", &err);
}

static bool has_program(const struct sms_conf *sms, const char *program)
{
	return streq(sms->gateway, "command") && streq(sms->command[0], program);
}

/* The sandbox has closed around the program that the configuration named at the start. */
static void reload_sms(struct identity *identity, const struct sms_conf *sms)
{
	struct mx_error err = { 0 };

	if (streq(sms->gateway, "command") && !has_program(&identity->conf->sms, sms->command[0]))
		daemon_key_waits("sms.command");
	else if (sms_set(identity->sms, sms, &err))
		daemon_part_stays("sms", &err);
}

/* Whether the endpoints are there is decided at the start. */
static void reload_internal(struct identity *identity, const struct identity_conf *conf)
{
	const char *token_file = conf->internal.token_file;
	struct mx_error err = { 0 };

	if (!identity->internal != !token_file)
		daemon_key_waits("internal.token_file");
	else if (token_file && internal_reload(identity->internal, token_file, &err))
		daemon_part_stays("internal", &err);
}

void identity_reload(void *ctx, const void *conf_ptr)
{
	const struct identity_conf *conf = conf_ptr;
	struct identity *identity = ctx;
	struct mx_error err = { 0 };

	identity_limits(identity->daemon, conf);
	budget_kinds_reload(identity->budgets, conf);
	terms_set(identity->terms, conf->terms.documents, conf->terms.documents_count);
	if (identity_keys(identity, conf, &err))
		daemon_part_stays("keys", &err);
	/* It has been tried already: only a file that changed since can be wrong. */
	if (message_templates_reload(identity->templates, conf, &err))
		daemon_part_stays("templates", &err);
	pepper_set(identity->pepper,
		   &(struct pepper_conf){ .life_ms = conf->lookup.pepper_days * MX_DAY_MS,
					  .overlap_ms = conf->lookup.overlap_hours * MX_HOUR_MS,
					  .hashes_only = !*conf->lookup.plain });
	atomic_store(&identity->newest, conf);
	reload_mail(identity, conf);
	reload_sms(identity, &conf->sms);
	reload_internal(identity, conf);
	replication_reload(identity->replication);
}

const char *identity_mail_why_not(void *ctx)
{
	static _Thread_local char why[256]; /* until the thread asks again */
	const struct identity *identity = ctx;

	if (!identity->mailer || mailer_is_well(identity->mailer, why))
		return NULL;
	return why;
}

const char *identity_sources_why_not(void *ctx)
{
	const struct identity *identity = ctx;

	return sources_why_not(identity->sources);
}

const char *identity_sms_why_not(void *ctx)
{
	static _Thread_local char why[256];
	const struct identity *identity = ctx;

	return sms_is_well(identity->sms, why) ? NULL : why;
}

const struct identity_conf *conf_of(const struct identity *identity)
{
	const struct identity_conf *newest = atomic_load(&identity->newest);

	return newest ? newest : identity->conf;
}

struct identity_call call_of(struct req *r)
{
	return (struct identity_call){
		.identity = r->app,
		.txn = r->txn,
		.view = r->view,
		.mem = r->mem,
		.now_ms = mx_now_ms(),
	};
}

struct store_reader reader_of(const struct identity_call *call)
{
	return (struct store_reader){ .txn = call->txn, .view = call->view, .mem = call->mem };
}

struct claim_call claim_call_of(struct identity_call call)
{
	return (struct claim_call){
		.outbox = call.identity ? call.identity->outbox : NULL,
		.txn = call.txn,
		.view = call.view,
		.mem = call.mem,
		.now_ms = call.now_ms,
	};
}

struct identity_call identity_call_of(struct identity *identity, const struct claim_call *call)
{
	return (struct identity_call){
		.identity = identity,
		.txn = call->txn,
		.view = call->view,
		.mem = call->mem,
		.now_ms = call->now_ms,
	};
}

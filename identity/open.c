#include "identity/open.h"

#include "identity/account/account_db.h"
#include "identity/account/terms.h"
#include "identity/account/terms_db.h"
#include "identity/audit/audit.h"
#include "identity/bind/internal.h"
#include "identity/bind/key_waits.h"
#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/binding/lookup.h"
#include "identity/budget_kinds.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/import/take_over.h"
#include "identity/invite/invite.h"
#include "identity/message/templates.h"
#include "identity/replication/replication.h"
#include "identity/settings.h"
#include "identity/sms/sms.h"
#include "identity/source/source.h"
#include "identity/suppress/suppression.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_ring.h"
#include "shared/mail/mailer.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"
#include "shared/threepid/claim.h"

#define TABLES_MAX 64
#define KINDS_MAX  4

/* Parts of the configured memory; the rest is for the pages of the store. */
#define KEYS_SHARE   8
#define LOOKUP_SHARE 2

static size_t add_tables(const struct store_table **tables, size_t len,
			 const struct store_table *const *more)
{
	while (*more && len < TABLES_MAX)
		tables[len++] = *more++;
	return len;
}

static size_t cache_bytes(const struct identity *identity)
{
	return (size_t)identity->conf->daemon.cache_mb * 1024 * 1024;
}

static int open_store(struct identity *identity, struct mx_error *err)
{
	static const struct store_table *const own[] = {
		&account_table,
		&account_token_table,
		&account_user_token_table,
		&terms_table,
		&invite_table,
		&invite_address_table,
		&invite_index_table,
		&ephemeral_key_table,
		&sms_spend_table,
		&binding_table,
		&binding_user_table,
		&binding_log_table,
		&lookup_table,
		&pepper_table,
		&audit_table,
		&audit_key_table,
		&suppression_table,
		&imported_table,
		&replication_peer_table,
		&listed_table,
		NULL,
	};
	const struct store_table *tables[TABLES_MAX + 1] = { 0 };
	const struct store_conf conf = {
		.tables = tables,
		.cache_bytes = cache_bytes(identity) - cache_bytes(identity) / KEYS_SHARE -
			       cache_bytes(identity) / LOOKUP_SHARE,
	};
	size_t len = add_tables(tables, 0, key_history_tables);

	len = add_tables(tables, len, outbox_tables);
	len = add_tables(tables, len, claim_tables);
	add_tables(tables, len, own);
	return daemon_store(identity->daemon, &conf, &identity->store, err);
}

static int open_outbox(struct identity *identity, struct mx_error *err)
{
	struct outbox_kind kinds[KINDS_MAX];
	struct outbox_conf conf = {
		.store = identity->store,
		.kinds = kinds,
		.metrics = identity->metrics,
	};
	int rc;

	kinds[conf.kinds_len++] = onbind_kind(identity);
	if (identity->mailer)
		kinds[conf.kinds_len++] = mailer_kind(identity->mailer);
	kinds[conf.kinds_len++] = sms_kind(identity->sms);
	rc = outbox_new(&conf, &identity->outbox, err);
	if (rc)
		return rc;
	if (identity->mailer)
		mailer_use(identity->mailer, identity->outbox);
	sms_use(identity->sms, identity->outbox);
	return 0;
}

/* Keys of homeservers, for the unbinds that they sign. */
static int open_key_ring(struct identity *identity, struct mx_error *err)
{
	const struct key_history_conf history = {
		.store = identity->store,
		.cache_bytes = cache_bytes(identity) / KEYS_SHARE,
		.metrics = identity->metrics,
		.metrics_prefix = "identity",
	};
	struct key_fetch_conf fetch = {
		.net = identity->net,
		.metrics = identity->metrics,
		.metrics_prefix = "identity",
	};
	struct key_ring_conf ring = { .net = identity->net };
	int rc = key_history_new(&history, &identity->history, err);

	if (rc)
		return rc;
	ring.history = fetch.history = identity->history;
	ring.fetcher = identity->fetcher = key_fetcher_new(&fetch);
	identity->key_ring = key_ring_new(&ring);
	identity->key_waits = key_waits_new(identity->conf->daemon.http.net_threads);
	return 0;
}

static int open_pepper(struct identity *identity, struct mx_error *err)
{
	const struct pepper_conf conf = {
		.store = identity->store,
		.life_ms = identity->conf->lookup.pepper_days * MX_DAY_MS,
		.overlap_ms = identity->conf->lookup.overlap_hours * MX_HOUR_MS,
		.hashes_only = !*identity->conf->lookup.plain,
		.memory_bytes = cache_bytes(identity) / LOOKUP_SHARE,
		.metrics = identity->metrics,
	};

	return pepper_new(&conf, &identity->pepper, err);
}

static int open_sources(struct identity *identity, struct mx_error *err)
{
	const struct identity_conf *values = identity->conf;
	const struct sources_conf conf = {
		.items = values->sources,
		.len = values->sources_count,
		.ca_file = values->daemon.outbound.ca_file,
		.dns_servers = values->daemon.outbound.dns_servers,
		.store = identity->store,
		.metrics = identity->metrics,
	};

	return sources_new(&conf, &identity->sources, err);
}

static int open_sms(struct identity *identity, struct mx_error *err)
{
	const struct sms_needs needs = {
		.net = identity->net,
		.store = identity->store,
		.metrics = identity->metrics,
	};

	return sms_new(&identity->conf->sms, &needs, &identity->sms, err);
}

static int open_sending(struct identity *identity, struct mx_error *err)
{
	int rc = message_templates_load(identity->conf, &identity->templates, err);

	if (rc)
		return rc;
	identity->budgets = budget_kinds_open(identity->conf, identity->metrics);
	if (identity->conf->mail.relay)
		rc = mail_conf_apply(&identity->conf->mail, identity->conf->server_name,
				     &identity->mailer, err);
	if (rc == 0)
		rc = open_sms(identity, err);
	return rc ? rc : open_outbox(identity, err);
}

int identity_open(struct identity *identity, struct mx_error *err)
{
	const struct identity_conf *conf = identity->conf;
	int rc = open_store(identity, err);

	if (rc == 0)
		rc = daemon_net(identity->daemon, &identity->net, err);
	if (rc == 0)
		rc = identity_keys(identity, identity->conf, err);
	if (rc == 0)
		rc = open_sending(identity, err);
	if (rc)
		return rc;
	rc = open_pepper(identity, err);
	if (rc == 0)
		rc = open_sources(identity, err);
	if (rc)
		return rc;
	rc = internal_new(conf->internal.token_file, &identity->internal, err);
	if (rc)
		return rc;
	identity->terms = terms_new(conf->terms.documents, conf->terms.documents_count);
	rc = audit_new(identity->store, &identity->audit, err);
	if (rc == 0)
		rc = open_key_ring(identity, err);
	if (rc)
		return rc;
	outbox_start(identity->outbox);
	if (identity->mailer)
		mailer_watch(identity->mailer);
	pepper_start(identity->pepper);
	sources_start(identity->sources);
	return replication_open(identity, &identity->replication, err);
}

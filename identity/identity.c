#include "identity/identity.h"

#include "identity/account/account.h"
#include "identity/account/account_db.h"
#include "identity/account/authenticate.h"
#include "identity/account/terms.h"
#include "identity/account/terms_db.h"
#include "identity/binding/binding.h"
#include "identity/binding/lookup.h"
#include "identity/budgets.h"
#include "identity/chores.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "identity/long_term_keys.h"
#include "identity/message/templates.h"
#include "identity/routes.h"
#include "identity/sms/sms.h"
#include "identity/validate/session.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/files.h"
#include "shared/http/request.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_ring.h"
#include "shared/mail/mailer.h"
#include "shared/mail/template.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"

#include <sodium.h>

#define TABLES_MAX     64
#define SESSIONS_ONCE  500
#define SESSIONS_ROUND 100000
#define KINDS_MAX      4
#define PASSWORD_MAX   1024

/* Parts of the configured memory; the rest is for the pages of the store. */
#define KEYS_SHARE   8
#define LOOKUP_SHARE 2

/* What is being sent may end; the process has ten seconds in all. */
#define OUTBOX_GRACE_MS 3000

/* ---- from the configuration */

static struct budget_rate rate_of(const struct budget_limit *limit)
{
	return (struct budget_rate){ .burst = limit->burst,
				     .refill_ms = MX_DAY_MS / (int64_t)limit->per_day };
}

static void fill_rates(const struct identity_conf *conf, struct budget_rate rates[BUDGET_KINDS])
{
	rates[BUDGET_MAIL_ASKER] = rate_of(&conf->limits.mail_asker);
	rates[BUDGET_MAIL_ADDRESS] = rate_of(&conf->limits.mail_address);
	rates[BUDGET_MAIL_ADDRESS_DAY] = rate_of(&conf->limits.mail_address_day);
	rates[BUDGET_MAIL_PREFIX] = rate_of(&conf->limits.mail_network);
	rates[BUDGET_SMS_NUMBER] = rate_of(&conf->limits.sms_number);
	rates[BUDGET_SMS_NUMBER_DAY] = rate_of(&conf->limits.sms_number_day);
	rates[BUDGET_SMS_COUNTRY] = rate_of(&conf->limits.sms_country);
	rates[BUDGET_SMS_PREFIX] = rate_of(&conf->limits.sms_network);
	rates[BUDGET_INVITE_SENDER] = rate_of(&conf->limits.invites);
	rates[BUDGET_LOOKUP_MISSES] = rate_of(&conf->limits.lookup_misses);
}

static void set_limits(struct daemon *daemon, const struct identity_conf *conf)
{
	struct http_limit limits[LIMIT_COUNT] = { 0 };

	for (int class = LIMIT_NONE + 1; class < LIMIT_COUNT; class ++) {
		limits[class].per_second = conf->limits.requests.per_second;
		limits[class].burst = conf->limits.requests.burst;
	}
	limits[LIMIT_REGISTER].per_second = (double)conf->limits.registers.per_day * MX_SECOND_MS /
					    MX_DAY_MS;
	limits[LIMIT_REGISTER].burst = conf->limits.registers.burst;
	daemon_limits(daemon, limits);
}

/* Borrows conf's texts; mx_free() the array. */
static const char **revoked_of(const struct identity_conf *conf)
{
	const char **list = mx_calloc(conf->keys.revoked_count + 1u, sizeof(*list));

	for (unsigned i = 0; i < conf->keys.revoked_count; i++)
		list[i] = conf->keys.revoked[i];
	return list;
}

static int read_password(const char *path, char **ret_password, struct mx_error *err)
{
	size_t len;
	int rc;

	*ret_password = NULL;
	if (!path)
		return 0;
	rc = file_read(path, PASSWORD_MAX, ret_password, &len, err);
	if (rc)
		return mx_fail(err, MX_BAD_CONFIG, "mail.password_file: %s cannot be read", path);
	(*ret_password)[strcspn(*ret_password, "\r\n")] = '\0';
	return 0;
}

static struct mailer_conf mailer_conf_of(const struct mail_conf *mail, const char *password)
{
	static const enum smtp_tls tls[] = { [CONF_MAIL_STARTTLS] = SMTP_STARTTLS,
					     [CONF_MAIL_IMPLICIT] = SMTP_IMPLICIT,
					     [CONF_MAIL_PLAIN] = SMTP_PLAIN };

	return (struct mailer_conf){
		.smtp = { .host = mail->relay,
			  .port = mail->port,
			  .tls = tls[mail->tls],
			  .user = mail->user,
			  .password = password,
			  .hello = mail->hello,
			  .ca_file = mail->ca_file },
		.from = mail->from,
		.per_domain = mail->per_domain,
		.domain_pause_ms = mail->domain_pause_ms,
		.give_up_ms = mail->give_up_hours * MX_HOUR_MS,
	};
}

/* A new mailer, or other settings for the one that is there. */
static int set_mailer(struct identity *identity, const struct mail_conf *mail, struct mx_error *err)
{
	struct mailer_conf conf;
	char *password;
	int rc = read_password(mail->password_file, &password, err);

	if (rc)
		return rc;
	conf = mailer_conf_of(mail, password);
	rc = identity->mailer ? mailer_set(identity->mailer, &conf, err)
			      : mailer_new(&conf, &identity->mailer, err);
	if (password)
		sodium_memzero(password, strlen(password));
	mx_free(password);
	return rc;
}

/* ---- opening */

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
		&ephemeral_key_table,
		&sms_spend_table,
		&binding_table,
		&binding_user_table,
		&binding_log_table,
		&lookup_table,
		&pepper_table,
		&session_table,
		&session_address_table,
		&session_end_table,
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
	add_tables(tables, len, own);
	return daemon_store(identity->daemon, &conf, &identity->store, err);
}

static int open_keys(struct identity *identity, struct mx_error *err)
{
	const char **revoked = revoked_of(identity->conf);
	const struct long_term_conf conf = {
		.server_name = identity->conf->server_name,
		.file = identity->conf->keys.signing_file,
		.revoked = revoked,
	};
	int rc = long_term_keys_new(&conf, &identity->keys, err);

	mx_free(revoked);
	return rc;
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
	struct budget_rate rates[BUDGET_KINDS];
	int rc = message_templates_load(identity->conf, &identity->templates, err);

	if (rc)
		return rc;
	fill_rates(identity->conf, rates);
	identity->budgets = budgets_new(rates, identity->metrics);
	if (identity->conf->mail.relay)
		rc = set_mailer(identity, &identity->conf->mail, err);
	if (rc == 0)
		rc = open_sms(identity, err);
	return rc ? rc : open_outbox(identity, err);
}

static int open_modules(struct identity *identity, struct mx_error *err)
{
	const struct identity_conf *conf = identity->conf;
	int rc = open_store(identity, err);

	if (rc == 0)
		rc = daemon_net(identity->daemon, &identity->net, err);
	if (rc == 0)
		rc = open_keys(identity, err);
	if (rc == 0)
		rc = open_sending(identity, err);
	if (rc)
		return rc;
	rc = open_pepper(identity, err);
	if (rc)
		return rc;
	identity->terms = terms_new(conf->terms.documents, conf->terms.documents_count);
	rc = open_key_ring(identity, err);
	if (rc)
		return rc;
	outbox_start(identity->outbox);
	pepper_start(identity->pepper);
	return 0;
}

/* ---- life */

static size_t reap_tokens(struct identity *identity, int64_t now_ms)
{
	return account_reap(identity->store, now_ms);
}

/* Small transactions: nobody waits for them. */
static size_t reap_sessions(struct identity *identity, int64_t now_ms)
{
	size_t all = 0, reaped;

	do {
		reaped = session_reap(identity->store, now_ms, SESSIONS_ONCE);
		all += reaped;
	} while (reaped == SESSIONS_ONCE && all < SESSIONS_ROUND);
	return all;
}

static const struct chore chores[] = {
	{ "validation sessions", 10 * MX_MINUTE_MS, reap_sessions },
	{ "access tokens that nobody used", 6 * MX_HOUR_MS, reap_tokens },
};

#define CHORES (sizeof(chores) / sizeof(chores[0]))

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
	set_limits(daemon, conf);
	daemon_routes(daemon, identity->routes);
	daemon_authenticate(daemon, account_authenticate);
	rc = open_modules(identity, err);
	if (rc) {
		identity_stop(identity);
		return rc;
	}
	identity->chores = chores_start(identity, chores, CHORES);
	*ret_identity = identity;
	return 0;
}

void identity_stop(void *ctx)
{
	struct identity *identity = ctx;

	chores_stop(identity->chores);
	if (identity->pepper)
		pepper_stop(identity->pepper);
	if (identity->outbox)
		outbox_stop(identity->outbox, OUTBOX_GRACE_MS);
	if (identity->fetcher)
		key_fetch_save(identity->fetcher, NULL);
	key_ring_free(identity->key_ring);
	key_fetcher_free(identity->fetcher);
	key_history_free(identity->history);
	terms_free(identity->terms);
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

static void say_kept(const char *what, const struct mx_error *err)
{
	mx_log(MX_LOG_ERROR, "a part of the configuration does not load, the old one stays", "part",
	       what, "why", err->text, NULL);
}

static void reload_keys(struct identity *identity, const struct identity_conf *conf)
{
	const char **revoked = revoked_of(conf);
	const struct long_term_conf keys = {
		.server_name = identity->conf->server_name,
		.file = identity->conf->keys.signing_file,
		.revoked = revoked,
	};
	struct mx_error err = { 0 };

	if (long_term_keys_reload(identity->keys, &keys, &err))
		say_kept("keys", &err);
	mx_free(revoked);
}

void identity_reload(void *ctx, const void *conf_ptr)
{
	const struct identity_conf *conf = conf_ptr;
	struct budget_rate rates[BUDGET_KINDS];
	struct identity *identity = ctx;
	struct mx_error err = { 0 };

	set_limits(identity->daemon, conf);
	fill_rates(conf, rates);
	budgets_set(identity->budgets, rates);
	terms_set(identity->terms, conf->terms.documents, conf->terms.documents_count);
	reload_keys(identity, conf);
	if (identity->mailer && conf->mail.relay && set_mailer(identity, &conf->mail, &err))
		say_kept("mail", &err);
	if (sms_set(identity->sms, &conf->sms, &err))
		say_kept("sms", &err);
}

const char *identity_mail_why_not(void *ctx)
{
	static _Thread_local char why[256]; /* until the thread asks again */
	const struct identity *identity = ctx;

	if (!identity->mailer || mailer_is_well(identity->mailer, why))
		return NULL;
	return why;
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

/* The identity service's configuration file. packaging/config/identity.yaml explains every key. */
#pragma once

#include "identity/replication/replication_conf.h"
#include "identity/sms/sms_conf.h"
#include "identity/source/source_conf.h"
#include "shared/daemon/daemon.h"
#include "shared/threepid/budgets.h"

struct mx_error;

enum conf_mail_tls { CONF_MAIL_STARTTLS, CONF_MAIL_IMPLICIT, CONF_MAIL_PLAIN };

struct mail_conf {
	char *relay; /* NULL: no mail is sent */
	uint16_t port; /* 0 = by tls */
	int tls; /* enum conf_mail_tls */
	char *user, *password_file;
	char *from; /* "Example <id@example.org>" */
	char *hello, *ca_file;
	unsigned per_domain, domain_pause_ms, give_up_hours;
};

struct terms_language {
	const char *language, *name, *url;
};

struct terms_document {
	const char *id, *version;
	struct terms_language *languages;
	unsigned languages_count;
};

struct identity_conf {
	struct daemon_conf daemon; /* first: see daemon.h */
	char *server_name;
	char *public_base_url; /* without a '/' at its end */
	struct {
		char *signing_file;
		char **revoked; /* public keys */
		unsigned revoked_count;
	} keys;
	struct {
		char **off; /* groups of routes.c */
		unsigned off_count;
	} endpoints;
	struct {
		char **allow, **deny; /* globs of server names */
		unsigned allow_count, deny_count;
	} homeservers;
	struct mail_conf mail;
	struct {
		char *directory, *brand, *language;
	} templates;
	struct {
		bool *landing_page; /* the mail's link leads to a page with a button */
		bool *next_link_http; /* next_link may be http:// too */
		char **next_link_hosts;
		unsigned next_link_hosts_count;
	} validation;
	struct {
		bool *tell_owner; /* by mail, of binds and unbinds */
		char **names; /* of destination_is, besides our own */
		unsigned names_count;
		unsigned forget_days; /* what was unbound */
	} binding;
	struct {
		unsigned pepper_days, overlap_hours;
		bool *plain; /* the algorithm "none" */
	} lookup;
	struct {
		unsigned local_max, domain_max; /* letters that a redacted address shows */
		unsigned expire_days; /* 0 = never */
		unsigned keep_days; /* of those that are over */
		char *web_client; /* where the mail's link leads; NULL = no link */
		char **block_keywords, **block_rooms, **block_servers, **block_homeservers;
		unsigned block_keywords_count, block_rooms_count, block_servers_count,
			block_homeservers_count;
	} invites;
	struct {
		unsigned days;
	} audit;
	struct {
		char *token_file; /* NULL: those endpoints are not there */
	} internal;
	struct {
		struct terms_document *documents;
		unsigned documents_count;
	} terms;
	struct {
		struct {
			unsigned per_second, burst; /* of one client; 0 = no limit */
		} requests;
		struct budget_limit registers, mail_asker, mail_address, mail_address_day,
			mail_network, sms_number, sms_number_day, sms_country, sms_network, invites,
			internal, invite_address, lookup_misses;
	} limits;
	struct sms_conf sms;
	struct replication_conf replication;
	struct source_conf *sources; /* other directories that know who is who */
	unsigned sources_count;
};

extern const cyaml_schema_value_t identity_conf_schema; /* identity_conf_rows.c */

/* Defaults for what is absent; refuses what cannot work. Reads templates, and no other file. */
int identity_conf_check(void *conf, struct mx_error *err);

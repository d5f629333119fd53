/* The identity service's configuration file. packaging/config/identity.yaml explains every key. */
#pragma once

#include "identity/replication/replication_conf.h"
#include "identity/sms/sms_conf.h"
#include "identity/source/source_conf.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/terms_conf.h"
#include "shared/mail/mail_conf.h"
#include "shared/threepid/budgets.h"
#include "shared/threepid/validation_conf.h"

struct mx_error;

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
	struct texts_conf templates;
	struct validation_conf validation;
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
	struct terms_conf terms;
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

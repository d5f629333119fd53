/* The homeserver's configuration file. packaging/config/homeserver.yaml explains every key. */
#pragma once

#include "homeserver/account/account_conf.h"
#include "homeserver/account/contact_conf.h"
#include "homeserver/media/media_conf.h"
#include "homeserver/meta/meta_conf.h"
#include "homeserver/profile/people_conf.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/terms_conf.h"
#include "shared/mail/mail_conf.h"
#include "shared/threepid/budgets.h"
#include "shared/threepid/validation_conf.h"

struct mx_error;

struct rate_conf {
	unsigned per_minute, burst;
};

struct hs_conf {
	struct daemon_conf daemon; /* first: see daemon.h */
	char *server_name;
	char *public_base_url; /* of the client API, without a '/' at its end */
	char *default_room_version; /* of rooms whose makers do not say */
	struct {
		char *signing_file;
		unsigned validity_hours;
	} keys;
	struct {
		struct {
			unsigned per_second, burst; /* of one user or client; 0 = no limit */
		} requests;
		struct rate_conf logins, registrations; /* of one address */
		struct rate_conf media_uploads; /* of one user */
		struct budget_limit mail_asker, mail_address, mail_address_day, mail_network;
	} limits;
	struct registration_conf registration;
	struct login_conf login;
	struct password_conf password;
	struct sessions_conf sessions;
	struct profiles_conf profiles;
	struct presence_conf presence;
	struct user_directory_conf user_directory;
	struct mail_conf mail;
	struct texts_conf templates;
	struct validation_conf validation;
	struct id_servers_conf identity;
	struct threepids_conf threepids;
	struct recaptcha_conf recaptcha;
	struct terms_conf terms; /* to be accepted by who registers */
	struct media_conf media;
	struct well_known_conf well_known;
	struct turn_conf turn;
};

extern const cyaml_schema_value_t hs_conf_schema; /* hs_conf_rows.c */

/* Defaults for what is absent; refuses what cannot work. Reads no file. */
int hs_conf_check(void *conf, struct mx_error *err);

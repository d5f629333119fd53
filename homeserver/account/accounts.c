#include "homeserver/account/accounts.h"

#include "homeserver/account/account_db.h"
#include "homeserver/account/attempts.h"
#include "homeserver/account/authn.h"
#include "homeserver/account/device_db.h"
#include "homeserver/account/erased.h"
#include "homeserver/account/erased_db.h"
#include "homeserver/account/password.h"
#include "homeserver/account/registration_token_db.h"
#include "homeserver/account/session_db.h"
#include "homeserver/account/shared_secret.h"
#include "homeserver/account/uia_db.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/daemon/daemon.h"

#include <stddef.h>

const struct store_table *const accounts_tables[] = {
	&account_table, &device_table, &erased_table, &registration_token_table,
	&session_table, &uia_table,    NULL,
};

int accounts_open(struct hs *hs, struct mx_error *err)
{
	int rc;

	hs->passwords = passwords_new(&hs->conf->password, hs->metrics);
	hs->attempts = attempts_new();
	hs->authn = authn_new(hs);
	daemon_authenticate(hs->daemon, authn_authenticate);
	daemon_pass(hs->daemon, uia_gate);
	rc = shared_secret_new(hs->conf->registration.shared_secret_file, &hs->register_secret,
			       err);
	return rc ? rc : erased_open(hs, err);
}

void accounts_reload(struct hs *hs, const struct hs_conf *conf)
{
	passwords_set(hs->passwords, &conf->password);
}

void accounts_close(struct hs *hs)
{
	erased_close(hs);
	shared_secret_free(hs->register_secret);
	authn_free(hs->authn);
	attempts_free(hs->attempts);
	passwords_free(hs->passwords);
}

#include "identity/homeservers.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/id/mxid.h"

static bool is_listed(char *const *globs, unsigned len, struct mx_slice server_name)
{
	for (unsigned i = 0; i < len; i++)
		if (mx_glob_match(mx_slice(globs[i]), server_name))
			return true;
	return false;
}

bool homeserver_is_served(const struct identity *identity, struct mx_slice server_name)
{
	const struct identity_conf *conf = conf_of(identity);

	if (is_listed(conf->homeservers.deny, conf->homeservers.deny_count, server_name))
		return false;
	return conf->homeservers.allow_count == 0 ||
	       is_listed(conf->homeservers.allow, conf->homeservers.allow_count, server_name);
}

int homeserver_check_user(const struct identity *identity, const char *user_id,
			  struct mx_error *err)
{
	struct mx_id id;

	if (!mx_user_id_parse(mx_slice(user_id), false, &id) ||
	    homeserver_is_served(identity, id.server))
		return 0;
	return mx_fail(err, MX_NOT_YOURS, "This service is not there for users of that homeserver");
}

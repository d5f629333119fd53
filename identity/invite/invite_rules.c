#include "identity/invite/invite_rules.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/routes.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

static bool is_off(const struct identity_conf *conf, const char *group)
{
	for (unsigned i = 0; i < conf->endpoints.off_count; i++) {
		if (streq(conf->endpoints.off[i], group))
			return true;
	}
	return false;
}

/* v1 while it is there, as proxies in front of us know it; never v2, where the client would have
 * to accept our terms before the person is anybody. */
static const char *sign_path(const struct identity_conf *conf)
{
	return is_off(conf, "v1_invites") ? IDENTITY_OWN "/sign-ed25519"
					  : IDENTITY_V1 "/sign-ed25519";
}

struct invite_rules invite_rules_of(const struct identity *identity)
{
	const struct identity_conf *conf = conf_of(identity);

	return (struct invite_rules){
		.server_name = identity->conf->server_name,
		.base_url = identity->conf->public_base_url,
		.sign_path = sign_path(identity->conf),
		.web_client = conf->invites.web_client,
		.local_max = conf->invites.local_max,
		.domain_max = conf->invites.domain_max,
		.life_ms = conf->invites.expire_days * MX_DAY_MS,
		.keywords = { conf->invites.block_keywords, conf->invites.block_keywords_count },
		.rooms = { conf->invites.block_rooms, conf->invites.block_rooms_count },
		.servers = { conf->invites.block_servers, conf->invites.block_servers_count },
		.homeservers = { conf->invites.block_homeservers,
				 conf->invites.block_homeservers_count },
	};
}

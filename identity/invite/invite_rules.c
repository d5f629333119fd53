#include "identity/invite/invite_rules.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/time.h"

struct invite_rules invite_rules_of(const struct identity *identity)
{
	const struct identity_conf *conf = identity->conf;

	return (struct invite_rules){
		.server_name = conf->server_name,
		.base_url = conf->public_base_url,
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

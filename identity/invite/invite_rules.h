/* What the operator decided about invites: names and limits of the configuration. */
#pragma once

#include <stdint.h>

struct identity;

struct invite_globs {
	char *const *items;
	unsigned len;
};

struct invite_rules {
	const char *server_name;
	const char *base_url; /* of this service, without a '/' at its end */
	const char *sign_path; /* where anybody who has an invite's mail has its token signed */
	const char *web_client; /* where the mail's link leads; NULL = the mail has none */
	unsigned local_max, domain_max; /* letters that a redacted address shows */
	int64_t life_ms; /* of a pending invite; 0 = for ever */
	struct invite_globs keywords; /* refused in any argument, whatever the case; no globs */
	struct invite_globs rooms; /* ids */
	struct invite_globs servers; /* of the room id */
	struct invite_globs homeservers; /* of the sender */
};

struct invite_rules invite_rules_of(const struct identity *identity);

#include "identity/invite/block.h"

#include "identity/invite/invite.h"
#include "identity/names.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

#include <string.h>

static struct mx_slice server_of_room(const char *room_id)
{
	const char *colon = strchr(room_id, ':');

	return mx_slice(colon ? colon + 1 : "");
}

static struct mx_slice server_of_user(const char *user_id)
{
	struct mx_id id;

	return mx_user_id_parse(mx_slice(user_id), false, &id) ? id.server : mx_slice("");
}

/* Who blocks "http" to keep links out of names does not mean the place of the web client. */
static const char *searched_part(const char *key, const char *text)
{
	const char *colon = strstr(text, "://");

	return streq(key, "org.matrix.web_client_location") && colon ? colon + 3 : text;
}

static bool says_blocked_word(struct names *names, const json_t *body)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)body, key, value) {
		const char *text = json_string_value(value);

		if (text && names_has_word_in(names, searched_part(key, text)))
			return true;
	}
	return false;
}

int block_check(struct names *names, const struct invite_asking *asking, struct mx_error *err)
{
	struct mx_slice homeserver = server_of_user(asking->sender);
	struct mx_slice server = server_of_room(asking->room_id);

	if (names_has(names, NAMES_BLOCKED_HOMESERVERS, homeserver) ||
	    names_has(names, NAMES_BLOCKED_ROOMS, mx_slice(asking->room_id)) ||
	    names_has(names, NAMES_BLOCKED_SERVERS, server) ||
	    says_blocked_word(names, asking->body))
		return mx_fail(err, MX_NOT_YOURS, "This service does not send such invites");
	return 0;
}

#include "identity/invite/block.h"

#include "identity/invite/invite.h"
#include "identity/invite/invite_rules.h"
#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>

static bool is_listed(const struct invite_globs *list, struct mx_slice name)
{
	for (unsigned i = 0; i < list->len; i++) {
		if (mx_glob_match(mx_slice(list->items[i]), name))
			return true;
	}
	return false;
}

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

static struct mx_slice fold(const char *text)
{
	size_t len = 0;
	uint8_t *folded = u8_casefold((const uint8_t *)text, strlen(text), NULL, NULL, NULL, &len);

	return mx_slice_of(folded, folded ? len : 0);
}

static bool has_word(struct mx_slice folded_text, const char *word)
{
	struct mx_slice folded = fold(word);
	bool found = folded.len > 0 &&
		     memmem(folded_text.ptr, folded_text.len, folded.ptr, folded.len);

	free((char *)folded.ptr);
	return found;
}

static bool has_any_word(const struct invite_globs *words, const char *text)
{
	struct mx_slice folded = fold(text);
	bool found = false;

	for (unsigned i = 0; i < words->len && folded.ptr && !found; i++)
		found = has_word(folded, words->items[i]);
	free((char *)folded.ptr);
	return found;
}

/* Who blocks "http" to keep links out of names does not mean the place of the web client. */
static const char *searched_part(const char *key, const char *text)
{
	const char *colon = strstr(text, "://");

	return streq(key, "org.matrix.web_client_location") && colon ? colon + 3 : text;
}

static bool says_blocked_word(const struct invite_globs *words, const json_t *body)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)body, key, value) {
		const char *text = json_string_value(value);

		if (text && has_any_word(words, searched_part(key, text)))
			return true;
	}
	return false;
}

int block_check(const struct invite_rules *rules, const struct invite_asking *asking,
		struct mx_error *err)
{
	if (is_listed(&rules->homeservers, server_of_user(asking->sender)) ||
	    is_listed(&rules->rooms, mx_slice(asking->room_id)) ||
	    is_listed(&rules->servers, server_of_room(asking->room_id)) ||
	    says_blocked_word(&rules->keywords, asking->body))
		return mx_fail(err, MX_NOT_YOURS, "This service does not send such invites");
	return 0;
}

#include "homeserver/account/registration_token.h"

#include "homeserver/account/registration_token_db.h"
#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"

#include <string.h>

#define NEW_LEN 16

/* Spec: appendices, "Opaque Identifiers". */
static bool is_text(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~";
	size_t len = strlen(text);

	return len > 0 && len <= REGISTRATION_TOKEN_MAX && strspn(text, letters) == len;
}

static const char *new_text(struct mx_arena *mem)
{
	char *text = mx_arena_alloc(mem, NEW_LEN + 1);

	mx_random_token(text, NEW_LEN);
	return text;
}

static int check_room(const struct hs_call *call, struct mx_error *err)
{
	struct registration_token_list list;
	int rc = registration_token_list(call, &list);

	if (rc == 0 && list.len >= REGISTRATION_TOKENS_MAX)
		return mx_fail(err, MX_RESOURCE_LIMIT, "There are %d registration tokens",
			       REGISTRATION_TOKENS_MAX);
	return rc;
}

int registration_token_add(const struct hs_call *call, const struct registration_token *token,
			   const char **ret_text, struct mx_error *err)
{
	struct registration_token added = *token, before;
	int rc;

	if (!added.text)
		added.text = new_text(call->mem);
	if (!is_text(added.text))
		return mx_fail(err, MX_INVALID_PARAM,
			       "A registration token is made of 1 to %d letters, digits, '-', '.', "
			       "'_' and '~'",
			       REGISTRATION_TOKEN_MAX);
	rc = registration_token_db_load(call, added.text, &before);
	if (rc == 0)
		return mx_fail(err, MX_INVALID_PARAM, "There is such a token already");
	if (rc == -MX_NOT_FOUND)
		rc = check_room(call, err);
	if (rc)
		return rc;
	added.created_ms = call->now_ms;
	added.uses = 0;
	registration_token_db_put(call, &added);
	*ret_text = added.text;
	return 0;
}

int registration_token_remove(const struct hs_call *call, const char *text, struct mx_error *err)
{
	struct registration_token token;
	int rc = is_text(text) ? registration_token_db_load(call, text, &token) : -MX_NOT_FOUND;

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "There is no such registration token");
	if (rc == 0)
		registration_token_db_delete(call, text);
	return rc;
}

int registration_token_list(const struct hs_call *call, struct registration_token_list *ret_list)
{
	return registration_token_db_list(call, REGISTRATION_TOKENS_MAX, ret_list);
}

static int load_good(const struct hs_call *call, const char *text,
		     struct registration_token *ret_token)
{
	int rc = is_text(text) ? registration_token_db_load(call, text, ret_token) : -MX_NOT_FOUND;

	if (rc == 0 && ((ret_token->until_ms && call->now_ms >= ret_token->until_ms) ||
			(ret_token->uses_max && ret_token->uses >= ret_token->uses_max)))
		rc = -MX_NOT_FOUND;
	return rc;
}

bool registration_token_is_good(const struct hs_call *call, const char *text)
{
	struct registration_token token;

	return load_good(call, text, &token) == 0;
}

int registration_token_use(const struct hs_call *call, const char *text, struct mx_error *err)
{
	struct registration_token token;
	int rc = load_good(call, text, &token);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_FORBIDDEN, "The registration token is not good any more");
	if (rc)
		return rc;
	token.uses++;
	registration_token_db_put(call, &token);
	return 0;
}

#include "identity/import/take_over.h"

#include "identity/binding/lookup.h"
#include "identity/import/take_item.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/store/key.h"
#include "shared/store/store.h"

#define TRIES 5

/* hash → nothing: of what must not happen twice. Somebody who has signed out stays so when the same
 * database is taken over again. */
const struct store_table imported_table = { .name = "imported" };

static const struct item_kind *const kinds[] = { people_kinds, binding_kinds };

const char *item_refused(const struct identity_call *call, const char *reason,
			 const struct mx_error *err)
{
	return mx_arena_strf(call->mem, "%s: %s", reason, err->text);
}

int item_is_again(const struct identity_call *call, const uint8_t hash[32], bool *ret_again)
{
	struct store_key key = { 0 };
	struct mx_slice value;
	int rc;

	store_key_text(&key, mx_slice_of(hash, 32));
	rc = store_txn_get(call->txn, &imported_table, store_key_slice(&key), call->mem, &value);
	*ret_again = rc == 0;
	if (rc != -MX_NOT_FOUND)
		return rc;
	store_txn_put(call->txn, &imported_table, store_key_slice(&key), MX_SLICE(""));
	return 0;
}

static bool is_pepper(const json_t *item)
{
	return streq(jstr(item, "kind"), "pepper");
}

/* It has transactions of its own, which the bindings of others may have been read by. */
static const char *take_pepper(struct identity *identity, const json_t *item, bool dry_run)
{
	const char *text = jstr_or(item, "pepper", "");
	char current[PEPPER_MAX + 1];

	if (!*text || strlen(text) > PEPPER_MAX)
		return "bad_pepper: Empty or too long";
	if (pepper_knows(identity->pepper, text))
		return TAKEN_KNOWN;
	pepper_current(identity->pepper, current);
	if (dry_run ? !pepper_may_import(identity->pepper)
		    : pepper_import(identity->pepper, text, NULL) != 0)
		return "unused: There are bindings here; clients ask for our pepper";
	return TAKEN_NEW;
}

static int take_item(const struct identity_call *call, const json_t *item, const char *source,
		     const char **ret_outcome)
{
	const char *name = jstr_or(item, "kind", "");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (const struct item_kind *kind = kinds[i]; kind->name; kind++)
			if (streq(kind->name, name))
				return kind->take(call, item, source, ret_outcome);
	*ret_outcome = "bad_kind: Nothing that can be taken over";
	return 0;
}

static int take_items(const struct identity_call *call, const struct take_over *asked,
		      json_t *outcomes)
{
	const char *outcome = NULL;
	const json_t *item;
	size_t i;
	int rc = 0;

	json_array_foreach (asked->items, i, item) {
		if (is_pepper(item))
			continue;
		rc = take_item(call, item, asked->source, &outcome);
		if (rc)
			return rc;
		json_array_set_new(outcomes, i, json_string(outcome));
	}
	return 0;
}

static int try_take(struct identity *identity, const struct take_over *asked, json_t *outcomes,
		    struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct identity_call call = {
		.identity = identity,
		.txn = store_txn_begin(identity->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	int rc = take_items(&call, asked, outcomes);

	if (rc || asked->dry_run) {
		store_txn_abort(call.txn);
		return rc;
	}
	return store_txn_commit(call.txn, err);
}

/* Peppers go first: the bindings are hashed with what is there then. */
static json_t *take_peppers(struct identity *identity, const struct take_over *asked)
{
	json_t *outcomes = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach (asked->items, i, item)
		json_array_append_new(
			outcomes, is_pepper(item)
					  ? json_string(take_pepper(identity, item, asked->dry_run))
					  : json_null());
	return outcomes;
}

int take_over(struct identity *identity, const struct take_over *asked, json_t **ret_outcomes,
	      struct mx_error *err)
{
	json_t *outcomes = take_peppers(identity, asked);
	int rc = -MX_CONFLICT;

	/* People go on binding meanwhile. */
	for (int i = 0; rc == -MX_CONFLICT && i < TRIES; i++)
		rc = try_take(identity, asked, outcomes, err);
	if (rc)
		json_decref(outcomes);
	else
		*ret_outcomes = outcomes;
	return rc;
}

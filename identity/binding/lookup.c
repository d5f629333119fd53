#include "identity/binding/lookup.h"

#include "identity/binding/lookup_cost.h"
#include "identity/binding/lookup_db.h"
#include "identity/binding/lookup_hash.h"
#include "identity/binding/lookup_memory.h"
#include "identity/binding/pepper.h"
#include "identity/identity.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

/* One address of the request. */
struct asked {
	const char *text; /* as sent: the answer's key */
	size_t place; /* of its hash, if it has one… */
	bool has_hash; /* …and is not something that nobody can be found by */
};

struct lookup {
	const struct identity_call *call;
	const char *pepper;
	struct asked *asked;
	size_t len;
	struct lookup_hashes hashes;
	uint8_t (*room)[LOOKUP_HASH_LEN];
};

/* ---- what was asked */

static int check_addresses(const json_t *addresses, struct mx_error *err)
{
	size_t i;
	json_t *item;

	if (!json_is_array(addresses))
		return mx_fail(err, MX_INVALID_PARAM, "addresses must be a list");
	if (json_array_size(addresses) > LOOKUP_ADDRESSES_MAX)
		return mx_fail(err, MX_TOO_MANY, "At most %d addresses may be asked for at once",
			       LOOKUP_ADDRESSES_MAX);
	json_array_foreach ((json_t *)(uintptr_t)addresses, i, item) {
		if (!json_is_string(item))
			return mx_fail(err, MX_INVALID_PARAM,
				       "addresses must be a list of strings");
	}
	return 0;
}

static bool hash_of_sha256(struct lookup *lookup, const char *text,
			   uint8_t ret_hash[LOOKUP_HASH_LEN], struct mx_error *err)
{
	(void)lookup;
	(void)err;
	return lookup_hash_parse(mx_slice(text), ret_hash);
}

/* "address medium". A text that is none is an error, an address that is none is nobody's. */
static bool hash_of_words(struct lookup *lookup, const char *text,
			  uint8_t ret_hash[LOOKUP_HASH_LEN], struct mx_error *err)
{
	const char *blank = strchr(text, ' ');
	struct threepid threepid;
	const char *address;

	if (!blank || blank == text || !blank[1] || strchr(blank + 1, ' ')) {
		mx_fail(err, MX_INVALID_PARAM,
			"Addresses of the algorithm none are an address, a blank, and a medium");
		return false;
	}
	address = mx_arena_strndup(lookup->call->mem, text, (size_t)(blank - text));
	if (threepid_parse(blank + 1, address, lookup->call->mem, &threepid, NULL))
		return false;
	lookup_hash(&threepid, lookup->pepper, ret_hash);
	return true;
}

typedef bool hash_fn(struct lookup *lookup, const char *text, uint8_t ret_hash[LOOKUP_HASH_LEN],
		     struct mx_error *err);

static hash_fn *algorithm_of(struct pepper *pepper, const char *name)
{
	if (streq(name, "sha256"))
		return hash_of_sha256;
	return streq(name, "none") && pepper_allows_none(pepper) ? hash_of_words : NULL;
}

static int collect(struct lookup *lookup, const json_t *addresses, hash_fn *hash,
		   struct mx_error *err)
{
	struct mx_error wrong = { 0 };
	size_t i;
	json_t *item;

	lookup->len = json_array_size(addresses);
	lookup->asked = mx_arena_calloc(lookup->call->mem, lookup->len + 1, sizeof(struct asked));
	lookup->room = mx_arena_alloc(lookup->call->mem, (lookup->len + 1) * LOOKUP_HASH_LEN);
	json_array_foreach ((json_t *)(uintptr_t)addresses, i, item) {
		struct asked *asked = &lookup->asked[i];
		size_t place = lookup->hashes.len;

		asked->text = json_string_value(item);
		asked->place = place;
		asked->has_hash = hash(lookup, asked->text, lookup->room[place], &wrong);
		if (wrong.code)
			return mx_fail(err, wrong.code, "%s", wrong.text);
		lookup->hashes.len += asked->has_hash;
	}
	lookup->hashes.items = (const uint8_t(*)[LOOKUP_HASH_LEN])lookup->room;
	return 0;
}

/* ---- what is found */

static bool is_in_force(const struct lookup_entry *entry, int64_t now_ms)
{
	if (!entry->user_id || now_ms < entry->not_before_ms)
		return false;
	return entry->not_after_ms == 0 || now_ms < entry->not_after_ms;
}

static json_t *mappings_of(const struct lookup *lookup, const struct lookup_entry *entries,
			   size_t *ret_hits)
{
	json_t *mappings = json_object();

	*ret_hits = 0;
	for (size_t i = 0; i < lookup->len; i++) {
		const struct asked *asked = &lookup->asked[i];
		const struct lookup_entry *entry = &entries[asked->place];

		if (!asked->has_hash || !is_in_force(entry, lookup->call->now_ms))
			continue;
		json_object_set_new(mappings, asked->text, json_string(entry->user_id));
		++*ret_hits;
	}
	return mappings;
}

static int find(const struct lookup *lookup, const struct lookup_request *request,
		json_t **ret_mappings)
{
	const struct identity_call *call = lookup->call;
	struct lookup_entry *entries = mx_arena_calloc(call->mem, lookup->len + 1,
						       sizeof(*entries));
	size_t hits;
	int rc = 0;

	if (!lookup_memory_get_many(call->identity->pepper->memory, &lookup->hashes, call->mem,
				    entries))
		rc = lookup_db_get_many(call->view, &lookup->hashes, call->mem, entries);
	if (rc)
		return rc;
	*ret_mappings = mappings_of(lookup, entries, &hits);
	lookup_cost_settle(call, request->asker, hits);
	return 0;
}

int lookup_addresses(const struct identity_call *call, const struct lookup_request *request,
		     json_t **ret_mappings, struct mx_error *err)
{
	struct pepper *pepper = call->identity->pepper;
	hash_fn *hash = algorithm_of(pepper, request->algorithm);
	struct lookup lookup = { .call = call, .pepper = request->pepper };
	int rc = check_addresses(request->addresses, err);

	if (rc)
		return rc;
	if (!hash)
		return mx_fail(err, MX_INVALID_PARAM, "The algorithm is not one of hash_details");
	if (!pepper_find(pepper, request->pepper, &lookup.hashes.generation))
		return mx_fail(err, MX_INVALID_PEPPER,
			       "The pepper is unknown or too old: ask for hash_details again");
	rc = collect(&lookup, request->addresses, hash, err);
	if (rc == 0)
		rc = lookup_cost_take(call, request->asker, lookup.len, err);
	return rc ? rc : find(&lookup, request, ret_mappings);
}

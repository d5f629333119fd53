#include "notary/freshness.h"

#include "shared/core/time.h"
#include "shared/keys/key_history.h"

#define FAR_MINIMUM_AGE_MS MX_HOUR_MS

enum holding { HOLDS_NOT, HOLDS_OLD, HOLDS_VERIFY };

static enum holding holds(const struct key_version *version, struct mx_slice key_id)
{
	for (size_t i = 0; i < version->keys_len; i++)
		if (mx_slice_eq(version->keys[i].id, key_id))
			return version->keys[i].expired_ts ? HOLDS_OLD : HOLDS_VERIFY;
	return HOLDS_NOT;
}

static bool is_valid_until(const struct key_version *version, int64_t minimum_ms, int64_t now_ms)
{
	if (minimum_ms > now_ms + KEY_TRUST_MS)
		return now_ms - version->last_seen_ms < FAR_MINIMUM_AGE_MS;
	return version->valid_until_ts >= minimum_ms;
}

bool want_is_met(const struct want *want, const struct key_entry *entry, int64_t now_ms)
{
	for (size_t i = 0; i < entry->len; i++) {
		const struct key_version *version = &entry->versions[i];

		if (!is_valid_until(version, want->minimum_ms, now_ms))
			continue;
		if (want->key_id.len == 0 || holds(version, want->key_id) != HOLDS_NOT)
			return true;
	}
	return false;
}

static void mark_key(struct mx_slice key_id, const struct key_entry *entry, bool *mark, bool *first)
{
	size_t verify = SIZE_MAX, old = SIZE_MAX, newest = entry->len - 1;

	for (size_t i = 0; i < entry->len; i++) { /* ascending by valid_until_ts */
		enum holding holding = holds(&entry->versions[i], key_id);

		if (holding == HOLDS_VERIFY)
			verify = i;
		if (holding == HOLDS_OLD)
			old = i;
	}
	if (verify != SIZE_MAX)
		mark[verify] = first[verify] = true;
	if (old != SIZE_MAX)
		mark[old] = true;
	if (verify != newest && old != newest)
		mark[newest] = true;
}

void want_mark(const struct want *want, const struct key_entry *entry, bool *mark, bool *first)
{
	if (entry->len == 0)
		return;
	if (want->key_id.len) {
		mark_key(want->key_id, entry, mark, first);
		return;
	}
	for (size_t i = 0; i < entry->len; i++)
		mark[i] = true;
}

int64_t version_half_life_ms(const struct key_version *version)
{
	int64_t end = version->valid_until_ts, trusted;

	if (__builtin_add_overflow(version->last_seen_ms, KEY_TRUST_MS, &trusted))
		trusted = INT64_MAX;
	if (end > trusted)
		end = trusted;
	if (end <= version->last_seen_ms)
		return end;
	return version->last_seen_ms + (end - version->last_seen_ms) / 2;
}

const struct key_version *entry_newest(const struct key_entry *entry)
{
	return entry->len ? &entry->versions[entry->len - 1] : NULL;
}

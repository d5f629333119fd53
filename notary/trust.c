#include "notary/trust.h"

#include "notary/trust_db.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/core/map.h"
#include "shared/core/time.h"
#include "shared/keys/key_history.h"

#include <pthread.h>

#define REASON_MAX 500

struct decision {
	struct trust_decision row; /* its slices point into `reason` and `ids` */
	char *reason;
	char *ids[TRUST_PINS_MAX];
};

struct globs {
	char **items;
	size_t len;
};

struct trust {
	struct store *store;
	pthread_rwlock_t lock;
	struct globs allow, deny, one_signature;
	struct mx_map decisions; /* server → struct decision */
};

/* ---- lists */

static void globs_done(struct globs *globs)
{
	for (size_t i = 0; i < globs->len; i++)
		mx_free(globs->items[i]);
	mx_free(globs->items);
	*globs = (struct globs){ 0 };
}

static void globs_copy(struct globs *globs, char *const *items, size_t len)
{
	globs_done(globs);
	globs->items = mx_calloc(len, sizeof(*globs->items));
	globs->len = len;
	for (size_t i = 0; i < len; i++)
		globs->items[i] = mx_strdup(items[i]);
}

static bool globs_match(const struct globs *globs, struct mx_slice server)
{
	for (size_t i = 0; i < globs->len; i++)
		if (mx_glob_match(mx_slice(globs->items[i]), server))
			return true;
	return false;
}

void trust_set_lists(struct trust *trust, const struct trust_lists *lists)
{
	pthread_rwlock_wrlock(&trust->lock);
	globs_copy(&trust->allow, lists->allow, lists->allow_len);
	globs_copy(&trust->deny, lists->deny, lists->deny_len);
	globs_copy(&trust->one_signature, lists->one_signature, lists->one_signature_len);
	pthread_rwlock_unlock(&trust->lock);
}

/* ---- decisions */

static void decision_free(void *ptr)
{
	struct decision *decision = ptr;

	if (!decision)
		return;
	for (size_t i = 0; i < decision->row.pins_len; i++)
		mx_free(decision->ids[i]);
	mx_free(decision->reason);
	mx_free(decision);
}

static struct decision *decision_new(const struct trust_decision *row)
{
	struct decision *decision = mx_calloc(1, sizeof(*decision));

	decision->row = *row;
	decision->reason = mx_strndup(row->reason.ptr, row->reason.len);
	decision->row.reason = mx_slice_of(decision->reason, row->reason.len);
	for (size_t i = 0; i < row->pins_len; i++) {
		struct mx_slice id = row->pins[i].key_id;

		decision->ids[i] = mx_strndup(id.ptr, id.len);
		decision->row.pins[i].key_id = mx_slice_of(decision->ids[i], id.len);
	}
	return decision;
}

static void remember(void *ctx, struct mx_slice server, const struct trust_decision *row)
{
	struct trust *trust = ctx;

	decision_free(mx_map_put(&trust->decisions, server, decision_new(row)));
}

/* Store first, memory after: what is in memory is durable. Under the write lock. */
static int decide(struct trust *trust, struct mx_slice server, const struct trust_decision *row,
		  struct mx_error *err)
{
	int rc = trust_db_put(trust->store, server, row, err);

	if (rc)
		return rc;
	if (row->denied || row->pins_len)
		remember(trust, server, row);
	else
		decision_free(mx_map_remove(&trust->decisions, server));
	return 0;
}

static struct trust_decision decision_of(const struct trust *trust, struct mx_slice server)
{
	const struct decision *decision = mx_map_find(&trust->decisions, server);

	return decision ? decision->row : (struct trust_decision){ 0 };
}

static void stamp(struct trust_decision *row, const char *reason)
{
	row->since_ms = mx_now_ms();
	row->reason = mx_slice_of(reason, strnlen(reason, REASON_MAX));
}

int trust_deny(struct trust *trust, struct mx_slice server, const char *reason,
	       struct mx_error *err)
{
	struct trust_decision row;
	int rc;

	pthread_rwlock_wrlock(&trust->lock);
	row = decision_of(trust, server);
	row.denied = true;
	stamp(&row, reason);
	rc = decide(trust, server, &row, err);
	pthread_rwlock_unlock(&trust->lock);
	return rc;
}

int trust_undeny(struct trust *trust, struct mx_slice server, struct mx_error *err)
{
	struct trust_decision row;
	int rc;

	pthread_rwlock_wrlock(&trust->lock);
	row = decision_of(trust, server);
	if (row.denied) {
		row.denied = false;
		rc = decide(trust, server, &row, err);
	} else {
		rc = mx_fail(err, MX_NOT_FOUND, "That server is not denied by an operator");
	}
	pthread_rwlock_unlock(&trust->lock);
	return rc;
}

static int add_pin(struct trust_decision *row, struct mx_slice key_id, const uint8_t public_key[32],
		   struct mx_error *err)
{
	for (size_t i = 0; i < row->pins_len; i++)
		if (mx_slice_eq(row->pins[i].key_id, key_id)) {
			memcpy(row->pins[i].public_key, public_key, 32);
			return 0;
		}
	if (row->pins_len == TRUST_PINS_MAX)
		return mx_fail(err, MX_TOO_LARGE, "A server may have %d pins", TRUST_PINS_MAX);
	row->pins[row->pins_len].key_id = key_id;
	memcpy(row->pins[row->pins_len++].public_key, public_key, 32);
	return 0;
}

int trust_pin(struct trust *trust, struct mx_slice server, struct mx_slice key_id,
	      const uint8_t public_key[32], const char *reason, struct mx_error *err)
{
	struct trust_decision row;
	int rc;

	pthread_rwlock_wrlock(&trust->lock);
	row = decision_of(trust, server);
	stamp(&row, reason);
	rc = add_pin(&row, key_id, public_key, err);
	if (rc == 0)
		rc = decide(trust, server, &row, err);
	pthread_rwlock_unlock(&trust->lock);
	return rc;
}

int trust_unpin(struct trust *trust, struct mx_slice server, struct mx_error *err)
{
	struct trust_decision row;
	int rc;

	pthread_rwlock_wrlock(&trust->lock);
	row = decision_of(trust, server);
	if (row.pins_len) {
		row.pins_len = 0;
		rc = decide(trust, server, &row, err);
	} else {
		rc = mx_fail(err, MX_NOT_FOUND, "That server has no pins");
	}
	pthread_rwlock_unlock(&trust->lock);
	return rc;
}

/* ---- asking */

static bool is_denied(const struct trust *trust, struct mx_slice server)
{
	const struct decision *decision = mx_map_find(&trust->decisions, server);

	return decision && decision->row.denied;
}

bool trust_allows(struct trust *trust, struct mx_slice server)
{
	bool allowed;

	pthread_rwlock_rdlock(&trust->lock);
	allowed = !is_denied(trust, server) && !globs_match(&trust->deny, server) &&
		  (trust->allow.len == 0 || globs_match(&trust->allow, server));
	pthread_rwlock_unlock(&trust->lock);
	return allowed;
}

bool trust_one_signature(struct trust *trust, struct mx_slice server)
{
	bool suffices;

	pthread_rwlock_rdlock(&trust->lock);
	suffices = globs_match(&trust->one_signature, server);
	pthread_rwlock_unlock(&trust->lock);
	return suffices;
}

static bool version_has(const struct key_version *version, const struct trust_pin *pin)
{
	for (size_t i = 0; i < version->keys_len; i++) {
		const struct key_entry_key *key = &version->keys[i];

		if (!key->expired_ts && mx_slice_eq(key->id, pin->key_id) &&
		    memcmp(key->public_key, pin->public_key, sizeof(pin->public_key)) == 0)
			return true;
	}
	return false;
}

bool trust_fits_pins(struct trust *trust, struct mx_slice server, const struct key_version *version)
{
	const struct decision *decision;
	bool fits;

	pthread_rwlock_rdlock(&trust->lock);
	decision = mx_map_find(&trust->decisions, server);
	fits = !decision || decision->row.pins_len == 0;
	for (size_t i = 0; !fits && i < decision->row.pins_len; i++)
		fits = version_has(version, &decision->row.pins[i]);
	pthread_rwlock_unlock(&trust->lock);
	return fits;
}

static json_t *pins_json(const struct trust_decision *row)
{
	json_t *pins = json_array();

	for (size_t i = 0; i < row->pins_len; i++) {
		mx_str_auto key = { 0 };

		mx_base64_add(&key, row->pins[i].public_key, 32);
		json_array_append_new(pins,
				      json_pack("{s:s%, s:s}", "key_id", row->pins[i].key_id.ptr,
						row->pins[i].key_id.len, "public_key", key.ptr));
	}
	return pins;
}

json_t *trust_show(struct trust *trust, struct mx_slice server)
{
	const struct decision *decision;
	json_t *shown = NULL;

	pthread_rwlock_rdlock(&trust->lock);
	decision = mx_map_find(&trust->decisions, server);
	if (decision)
		shown = json_pack("{s:b, s:o, s:s%, s:I}", "denied", decision->row.denied, "pins",
				  pins_json(&decision->row), "reason", decision->row.reason.ptr,
				  decision->row.reason.len, "since_ts",
				  (json_int_t)decision->row.since_ms);
	pthread_rwlock_unlock(&trust->lock);
	return shown;
}

size_t trust_count(struct trust *trust)
{
	size_t count;

	pthread_rwlock_rdlock(&trust->lock);
	count = trust->decisions.len;
	pthread_rwlock_unlock(&trust->lock);
	return count;
}

/* ---- life */

int trust_new(struct store *store, const struct trust_lists *lists, struct trust **ret_trust,
	      struct mx_error *err)
{
	struct trust *trust = mx_calloc(1, sizeof(*trust));
	int rc;

	pthread_rwlock_init(&trust->lock, NULL);
	trust->store = store;
	trust_set_lists(trust, lists);
	rc = trust_db_each(store, remember, trust, err);
	if (rc) {
		trust_free(trust);
		return rc;
	}
	*ret_trust = trust;
	return 0;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	globs_done(&trust->allow);
	globs_done(&trust->deny);
	globs_done(&trust->one_signature);
	mx_map_done(&trust->decisions, decision_free);
	pthread_rwlock_destroy(&trust->lock);
	mx_free(trust);
}

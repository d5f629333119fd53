#include "notary/seal.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/json.h"
#include "shared/keys/key_object.h"
#include "shared/keys/own_keys.h"

#include <pthread.h>
#include <stdatomic.h>

/* Who seals at one moment; shared by reference count, immutable. */
struct signers {
	_Atomic int refs;
	struct own_ring *own;
	struct mx_keyring countersigning;
	const struct mx_signing_key **all;
	size_t all_len;
	uint8_t id[8];
};

struct seal {
	struct own_keys *own;
	char *countersign_file;
	pthread_mutex_t lock; /* signers */
	struct signers *signers;
};

/* ---- who seals */

static void signers_unref(struct signers *signers)
{
	if (!signers || atomic_fetch_sub(&signers->refs, 1) != 1)
		return;
	own_ring_unref(signers->own);
	mx_keyring_done(&signers->countersigning);
	mx_free(signers->all);
	mx_free(signers);
}

static struct signers *signers_ref(struct seal *seal)
{
	struct signers *signers;

	pthread_mutex_lock(&seal->lock);
	signers = seal->signers;
	atomic_fetch_add(&signers->refs, 1);
	pthread_mutex_unlock(&seal->lock);
	return signers;
}

/* Digest of all ids and public halves: other keys, other seal. */
static void signers_name(struct signers *signers)
{
	uint8_t digest[MX_SHA256_LEN];
	mx_str_auto text = { 0 };

	for (size_t i = 0; i < signers->all_len; i++) {
		mx_str_add_text(&text, mx_signing_key_id(signers->all[i]));
		mx_str_add(&text, mx_signing_key_public(signers->all[i]), MX_ED25519_PUBLIC_LEN);
	}
	mx_sha256(mx_str_slice(&text), digest);
	memcpy(signers->id, digest, sizeof(signers->id));
}

/* 1 for a key that is in both files, as after a rotation that was cut short: it signs once. One
 * signature under an id must not hide another's. */
static int is_listed(const struct signers *signers, const struct mx_signing_key *key,
		     struct mx_error *err)
{
	for (size_t i = 0; i < signers->all_len; i++) {
		if (!streq(mx_signing_key_id(signers->all[i]), mx_signing_key_id(key)))
			continue;
		if (memcmp(mx_signing_key_public(signers->all[i]), mx_signing_key_public(key),
			   MX_ED25519_PUBLIC_LEN))
			return mx_fail(err, MX_BAD_KEY,
				       "%s is in both key files, with other bytes in each",
				       mx_signing_key_id(key));
		return 1;
	}
	return 0;
}

static int signers_collect(struct signers *signers, struct mx_error *err)
{
	const struct mx_keyring *const files[] = { own_ring_keys(signers->own),
						   &signers->countersigning };
	int rc = 0;

	signers->all = mx_calloc(files[0]->len + files[1]->len, sizeof(*signers->all));
	for (size_t file = 0; file < 2; file++)
		for (size_t i = 0; rc >= 0 && i < files[file]->len; i++) {
			rc = is_listed(signers, files[file]->keys[i], err);
			if (rc == 0)
				signers->all[signers->all_len++] = files[file]->keys[i];
		}
	signers_name(signers);
	return rc < 0 ? rc : 0;
}

static int load_countersigning(const struct seal *seal, struct mx_keyring *ret_ring,
			       struct mx_error *err)
{
	int rc;

	if (!seal->countersign_file)
		return 0;
	rc = mx_keyfile_load(seal->countersign_file, ret_ring, err);
	return rc == -MX_NOT_FOUND ? 0 : rc; /* it comes with the first rotation */
}

/* Takes the reference to `own`, also when it fails. */
static int signers_new(const struct seal *seal, struct own_ring *own, struct signers **ret_signers,
		       struct mx_error *err)
{
	struct signers *signers = mx_calloc(1, sizeof(*signers));
	int rc;

	signers->refs = 1;
	signers->own = own;
	rc = load_countersigning(seal, &signers->countersigning, err);
	if (rc == 0)
		rc = signers_collect(signers, err);
	if (rc) {
		signers_unref(signers);
		return rc;
	}
	*ret_signers = signers;
	return 0;
}

/* ---- life */

int seal_new(const struct seal_conf *conf, struct seal **ret_seal, struct mx_error *err)
{
	struct seal *seal = mx_calloc(1, sizeof(*seal));
	int rc;

	pthread_mutex_init(&seal->lock, NULL);
	seal->own = conf->own;
	seal->countersign_file = conf->countersign_file ? mx_strdup(conf->countersign_file) : NULL;
	rc = signers_new(seal, own_keys_ring(conf->own), &seal->signers, err);
	if (rc) {
		seal_free(seal);
		return rc;
	}
	*ret_seal = seal;
	return 0;
}

void seal_free(struct seal *seal)
{
	if (!seal)
		return;
	signers_unref(seal->signers);
	mx_free(seal->countersign_file);
	pthread_mutex_destroy(&seal->lock);
	mx_free(seal);
}

int seal_reload(struct seal *seal, struct mx_error *err)
{
	struct signers *fresh, *replaced;
	struct own_ring *own;
	int rc = own_keys_load(seal->own, &own, err);

	if (rc == 0)
		rc = signers_new(seal, own, &fresh, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&seal->lock);
	replaced = seal->signers;
	seal->signers = fresh;
	pthread_mutex_unlock(&seal->lock);
	signers_unref(replaced);
	return own_keys_adopt(seal->own, fresh->own, err);
}

/* ---- use */

int seal_object(void *ctx, const struct key_object *object, struct mx_str *out,
		struct mx_error *err)
{
	struct seal *seal = ctx;
	struct signers *signers = signers_ref(seal);
	int rc = mx_countersign(&object->doc, object->signed_bytes, own_keys_server_name(seal->own),
				signers->all, signers->all_len, out, err);

	signers_unref(signers);
	return rc;
}

struct mx_slice seal_id(const struct seal *seal)
{
	return mx_slice_of(seal->signers->id, sizeof(seal->signers->id));
}

/* An old key that still countersigns is one key: it is listed once. */
static json_t *countersigning_new(const struct mx_signing_key *key, json_t *own)
{
	json_t *countersigning = own_key_json(mx_signing_key_id(key), mx_signing_key_public(key),
					      "countersigning", 0);
	const json_t *same;
	size_t i;

	json_array_foreach (own, i, same) {
		if (!streq(jstr(same, "role"), "old") ||
		    !streq(jstr(same, "id"), mx_signing_key_id(key)))
			continue;
		json_object_set(countersigning, "expired_ts", json_object_get(same, "expired_ts"));
		json_array_remove(own, i);
		break;
	}
	return countersigning;
}

/* Behind those that sign, before the old ones. */
json_t *seal_list(struct seal *seal)
{
	struct signers *signers = signers_ref(seal);
	json_t *list = own_keys_list(seal->own);
	size_t at = own_ring_keys(signers->own)->len;

	for (size_t i = 0; i < signers->countersigning.len; i++)
		json_array_insert_new(list, at + i,
				      countersigning_new(signers->countersigning.keys[i], list));
	signers_unref(signers);
	return list;
}

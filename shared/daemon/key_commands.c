#include "shared/daemon/key_commands.h"

#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/console.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

/* ---- which one */

static const struct key_command *find_command(const struct key_command *commands, int argc,
					      char **argv)
{
	for (; commands->name; commands++)
		if (argc == (commands->argument ? 3 : 2) && streq(argv[1], commands->name))
			return commands;
	return NULL;
}

static int say_usage(const char *program, const struct key_command *commands)
{
	mx_str_auto usage = { 0 };

	for (; commands->name; commands++) {
		mx_str_add_text(&usage, usage.len ? " | key " : "key ");
		mx_str_add_text(&usage, commands->name);
		if (commands->argument)
			mx_str_addf(&usage, " %s", commands->argument);
	}
	return console_usage(program, usage.ptr);
}

int key_command_run(const char *program, const struct key_command *commands, const void *conf,
		    int argc, char **argv)
{
	const struct key_command *command = find_command(commands, argc, argv);

	if (!command)
		return say_usage(program, commands);
	return command->run(conf, command->argument ? argv[2] : NULL);
}

/* ---- showing */

void key_print(const char *id, const uint8_t public_key[MX_ED25519_PUBLIC_LEN], const char *role)
{
	mx_str_auto text = { 0 }, fingerprint = { 0 };

	mx_base64_add(&text, public_key, MX_ED25519_PUBLIC_LEN);
	mx_ed25519_fingerprint(public_key, &fingerprint);
	printf("%-20s %s  %s\n  fingerprint %s\n", id, text.ptr, role, fingerprint.ptr);
}

static void print_first(const struct mx_keyring *ring, const char *role)
{
	key_print(mx_signing_key_id(ring->keys[0]), mx_signing_key_public(ring->keys[0]), role);
}

/* ---- a new file */

static struct mx_signing_key *fresh_key(const char *id)
{
	uint8_t seed[MX_ED25519_SEED_LEN];
	struct mx_signing_key *key;

	if (!id)
		return mx_signing_key_generate();
	mx_random_bytes(seed, sizeof(seed));
	key = mx_signing_key_new(id, seed);
	sodium_memzero(seed, sizeof(seed));
	return key;
}

int key_file_generate(const char *path, const char *id, struct mx_error *err)
{
	struct mx_keyring ring = { 0 };
	int rc;

	if (access(path, F_OK) == 0)
		return mx_fail(err, MX_CONFLICT, "%s is there already", path);
	mx_keyring_add(&ring, fresh_key(id));
	rc = mx_keyfile_save(path, &ring, err);
	if (rc == 0)
		print_first(&ring, "made");
	mx_keyring_done(&ring);
	return rc;
}

/* ---- keys of another file */

static int compare(const char *id, const uint8_t *a, const uint8_t *b, struct mx_error *err)
{
	if (memcmp(a, b, MX_ED25519_PUBLIC_LEN))
		return mx_fail(err, MX_CONFLICT, "%s is there with other bytes", id);
	return 1;
}

/* 0 if the ring has no such key yet, 1 if it has this very one: retired ones do not come back. */
static int has_key(const struct mx_keyring *ring, const char *id, const uint8_t *public_key,
		   struct mx_error *err)
{
	for (size_t i = 0; i < ring->len; i++)
		if (streq(mx_signing_key_id(ring->keys[i]), id))
			return compare(id, mx_signing_key_public(ring->keys[i]), public_key, err);
	for (size_t i = 0; i < ring->old_len; i++)
		if (streq(ring->old[i].id, id))
			return compare(id, ring->old[i].public_key, public_key, err);
	return 0;
}

/* Moves the keys of `from` that `to` lacks; the rest stays for its owner to free. */
static int move_signing(struct mx_keyring *from, struct mx_keyring *to, struct mx_error *err)
{
	size_t left = 0;
	int found = 0;

	for (size_t i = 0; i < from->len; i++) {
		struct mx_signing_key *key = from->keys[i];

		if (found >= 0)
			found = has_key(to, mx_signing_key_id(key), mx_signing_key_public(key),
					err);
		if (found == 0)
			mx_keyring_add(to, key);
		else
			from->keys[left++] = key;
	}
	from->len = left;
	return found < 0 ? found : 0;
}

static int copy_old(const struct mx_keyring *from, struct mx_keyring *to, struct mx_error *err)
{
	for (size_t i = 0; i < from->old_len; i++) {
		struct mx_old_key old = from->old[i];
		int found = has_key(to, old.id, old.public_key, err);

		if (found < 0)
			return found;
		if (found)
			continue;
		old.id = mx_strdup(old.id);
		mx_keyring_add_old(to, old);
	}
	return 0;
}

/* Loads a ring that may not be there yet. */
static int load_or_empty(const char *path, struct mx_keyring *ret_ring, struct mx_error *err)
{
	int rc = mx_keyfile_load(path, ret_ring, err);

	return rc == -MX_NOT_FOUND ? 0 : rc;
}

int key_file_add(const char *path, const char *into_path, struct mx_error *err)
{
	struct mx_keyring from = { 0 }, into = { 0 };
	int rc = mx_keyfile_load(path, &from, err);

	if (rc == 0)
		rc = load_or_empty(into_path, &into, err);
	if (rc == 0)
		rc = move_signing(&from, &into, err);
	if (rc == 0)
		rc = copy_old(&from, &into, err);
	if (rc == 0)
		rc = mx_keyfile_save(into_path, &into, err);
	mx_keyring_done(&from);
	mx_keyring_done(&into);
	return rc;
}

/* ---- rotation */

int key_file_rotate(const char *path, struct mx_error *err)
{
	struct mx_keyring ring = { 0 };
	int rc = mx_keyfile_load(path, &ring, err);

	while (rc == 0 && ring.len) {
		mx_autofree char *id = mx_strdup(mx_signing_key_id(ring.keys[0]));

		mx_keyring_retire(&ring, id, mx_now_ms());
	}
	if (rc == 0) {
		mx_keyring_add(&ring, mx_signing_key_generate());
		rc = mx_keyfile_save(path, &ring, err);
	}
	if (rc == 0)
		print_first(&ring, "signs from now on");
	mx_keyring_done(&ring);
	return rc;
}

int key_ring_retire(struct mx_keyring *ring, const char *id, struct mx_error *err)
{
	for (size_t i = 0; i < ring->old_len; i++)
		if (streq(ring->old[i].id, id))
			return mx_fail(err, MX_CONFLICT, "%s is retired already", id);
	if (ring->len == 1 && streq(mx_signing_key_id(ring->keys[0]), id))
		return mx_fail(err, MX_CONFLICT,
			       "%s is the only key that signs: key rotate makes another one", id);
	if (!mx_keyring_retire(ring, id, mx_now_ms()))
		return mx_fail(err, MX_NOT_FOUND, "There is no key %s", id);
	return 0;
}

/* trinity-notary key …: works on the key files; the running daemon takes them over on reload. */
#include "notary/commands.h"
#include "notary/notary_conf.h"
#include "notary/own_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/keyfile.h"

#include <stdio.h>
#include <unistd.h>

static const char usage[] = "key list | key generate FILE | key import FILE | key rotate";

static int failed(const struct mx_error *err)
{
	fprintf(stderr, "trinity-notary: %s\n", err->text);
	return EXIT_FAILURE;
}

static void print_key(const char *id, const uint8_t public_key[32], const char *role)
{
	mx_str_auto text = { 0 }, fingerprint = { 0 };

	mx_base64_add(&text, public_key, 32);
	own_keys_fingerprint(public_key, &fingerprint);
	printf("%-20s %s  %s\n  fingerprint %s\n", id, text.ptr, role, fingerprint.ptr);
}

static void print_ring(const struct mx_keyring *ring, const char *role)
{
	for (size_t i = 0; i < ring->len; i++)
		print_key(mx_signing_key_id(ring->keys[i]), mx_signing_key_public(ring->keys[i]),
			  role);
	for (size_t i = 0; i < ring->old_len; i++)
		print_key(ring->old[i].id, ring->old[i].public_key, "old, published only");
}

static int list_file(const char *path, const char *role)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	if (mx_keyfile_load(path, &ring, &err))
		return failed(&err);
	print_ring(&ring, role);
	mx_keyring_done(&ring);
	return EXIT_SUCCESS;
}

/* The first rotation makes the file for countersigning. */
static int key_list(const struct notary_conf *conf)
{
	const char *former = conf->keys.countersign_file;
	int status = list_file(conf->keys.signing_file, "signs, published");

	if (status == EXIT_SUCCESS && former && access(former, F_OK) == 0)
		status = list_file(former, "countersigns only");
	return status;
}

static int key_generate(const char *path)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	int rc;

	if (access(path, F_OK) == 0) {
		fprintf(stderr, "trinity-notary: %s is there already\n", path);
		return EXIT_FAILURE;
	}
	mx_keyring_add(&ring, mx_signing_key_generate());
	rc = mx_keyfile_save(path, &ring, &err);
	if (rc == 0)
		print_ring(&ring, "made");
	mx_keyring_done(&ring);
	return rc ? failed(&err) : EXIT_SUCCESS;
}

/* 0 if the ring has no such key yet, 1 if it has this very one. */
static int has_key(const struct mx_keyring *ring, const struct mx_signing_key *key,
		   struct mx_error *err)
{
	for (size_t i = 0; i < ring->len; i++) {
		if (!streq(mx_signing_key_id(ring->keys[i]), mx_signing_key_id(key)))
			continue;
		if (memcmp(mx_signing_key_public(ring->keys[i]), mx_signing_key_public(key), 32))
			return mx_fail(err, MX_CONFLICT, "%s is there with other bytes",
				       mx_signing_key_id(key));
		return 1;
	}
	return 0;
}

/* Moves the keys of `from` that `to` lacks; the rest stays for its owner to free. */
static int move_keys(struct mx_keyring *from, struct mx_keyring *to, struct mx_error *err)
{
	size_t left = 0;
	int found = 0;

	for (size_t i = 0; i < from->len; i++) {
		found = found < 0 ? found : has_key(to, from->keys[i], err);
		if (found == 0)
			mx_keyring_add(to, from->keys[i]);
		else
			from->keys[left++] = from->keys[i];
	}
	from->len = left;
	return found < 0 ? found : 0;
}

/* Loads a ring that may not be there yet. */
static int load_or_empty(const char *path, struct mx_keyring *ret_ring, struct mx_error *err)
{
	int rc = mx_keyfile_load(path, ret_ring, err);

	return rc == -MX_NOT_FOUND ? 0 : rc;
}

/* Adds the keys in `path` to `into_path`. */
static int add_file(const char *path, const char *into_path, struct mx_error *err)
{
	struct mx_keyring from = { 0 }, into = { 0 };
	int rc = mx_keyfile_load(path, &from, err);

	if (rc == 0)
		rc = load_or_empty(into_path, &into, err);
	if (rc == 0)
		rc = move_keys(&from, &into, err);
	if (rc == 0)
		rc = mx_keyfile_save(into_path, &into, err);
	mx_keyring_done(&from);
	mx_keyring_done(&into);
	return rc;
}

static int key_import(const struct notary_conf *conf, const char *path)
{
	struct mx_error err = { 0 };

	if (add_file(path, conf->keys.signing_file, &err))
		return failed(&err);
	puts("imported; reload the daemon to sign with it");
	return EXIT_SUCCESS;
}

/* A fresh key signs from now on; the former ones are published as old. */
static int replace_signing(const char *path, struct mx_error *err)
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
		print_ring(&ring, "signs from now on");
	mx_keyring_done(&ring);
	return rc;
}

/* The former keys go on countersigning, so that askers who pinned them notice nothing. */
static int key_rotate(const struct notary_conf *conf)
{
	struct mx_error err = { 0 };

	if (!conf->keys.countersign_file) {
		fprintf(stderr, "trinity-notary: set keys.countersign_file first: the present keys "
				"move there, for those who pinned them\n");
		return EXIT_FAILURE;
	}
	if (add_file(conf->keys.signing_file, conf->keys.countersign_file, &err) ||
	    replace_signing(conf->keys.signing_file, &err))
		return failed(&err);
	puts("rotated; reload the daemon to sign with the new key");
	return EXIT_SUCCESS;
}

int command_key(const void *conf, int argc, char **argv)
{
	if (argc == 2 && streq(argv[1], "list"))
		return key_list(conf);
	if (argc == 3 && streq(argv[1], "generate"))
		return key_generate(argv[2]);
	if (argc == 3 && streq(argv[1], "import"))
		return key_import(conf, argv[2]);
	if (argc == 2 && streq(argv[1], "rotate"))
		return key_rotate(conf);
	return command_usage(usage);
}

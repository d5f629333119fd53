/*
 * A store with many bindings, made without the service: identity_seed DIRECTORY COUNT PEPPER, where
 * DIRECTORY is the `store` of a data directory that nobody uses. Person N has the address
 * person.N@mail-M.example.com and the user id @person.N:example.org, where N has seven digits and M
 * is N modulo 100 in two. The associations are whole but for their signatures, which nobody looks
 * at here. Prints "name value" lines.
 */
#include "identity/binding/binding_db.h"
#include "identity/binding/lookup.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH       1000
#define COUNT_MAX   10000000
#define CACHE_BYTES (256u * 1024 * 1024)
#define BOUND_MS    INT64_C(1700000000000)
#define ORIGIN      "id.test"

static struct mx_slice association(const struct binding *binding, char *text, size_t size)
{
	int len = snprintf(text, size,
			   "{\"address\":\"%s\",\"medium\":\"email\",\"mxid\":\"%s\","
			   "\"not_after\":%lld,\"not_before\":%lld,"
			   "\"signatures\":{\"" ORIGIN "\":{\"ed25519:0\":\"%086d\"}},\"ts\":%lld}",
			   binding->threepid.address, binding->user_id,
			   (long long)binding->not_after_ms, (long long)binding->not_before_ms, 0,
			   (long long)binding->ts_ms);

	return (struct mx_slice){ text, (size_t)len };
}

static void put_person(struct store_txn *txn, unsigned number)
{
	char address[64], user[64], json[512];
	struct binding binding = {
		.threepid = { "email", address },
		.user_id = user,
		.ts_ms = BOUND_MS,
		.not_before_ms = BOUND_MS,
		.not_after_ms = BOUND_MS + BINDING_VALID_MS,
		.origin = ORIGIN,
		.ours = true,
		.number = number + 1,
	};

	snprintf(address, sizeof(address), "person.%07u@mail-%02u.example.com", number,
		 number % 100);
	snprintf(user, sizeof(user), "@person.%07u:example.org", number);
	binding.signed_json = association(&binding, json, sizeof(json));
	binding_db_put(txn, NULL, &binding);
	lookup_update(txn, &binding);
}

static int put_people(struct store *store, unsigned count, struct mx_error *err)
{
	int rc = 0;

	for (unsigned first = 0; rc == 0 && first < count; first += BATCH) {
		struct store_txn *txn = store_txn_begin(store);

		for (unsigned i = first; i < first + BATCH && i < count; i++)
			put_person(txn, i);
		rc = store_txn_commit(txn, err);
	}
	return rc;
}

static int set_pepper(struct store *store, const char *text, struct mx_error *err)
{
	const struct pepper_conf conf = { .store = store };
	struct pepper *pepper;
	int rc = pepper_new(&conf, &pepper, err);

	if (rc)
		return rc;
	rc = pepper_import(pepper, text, err);
	pepper_free(pepper);
	return rc;
}

static int seed(const char *directory, unsigned count, const char *pepper, struct mx_error *err)
{
	static const struct store_table *const tables[] = { &binding_table,     &binding_user_table,
							    &binding_log_table, &lookup_table,
							    &pepper_table,      NULL };
	const struct store_conf conf = { .directory = directory,
					 .tables = tables,
					 .cache_bytes = CACHE_BYTES };
	int64_t began_us = mx_mono_us();
	struct store *store;
	int rc = store_open(&conf, &store, err);

	if (rc)
		return rc;
	rc = set_pepper(store, pepper, err);
	if (rc == 0)
		rc = put_people(store, count, err);
	store_close(store);
	printf("people %u\nseconds %.1f\n", count, (double)(mx_mono_us() - began_us) / 1e6);
	return rc;
}

int main(int argc, char **argv)
{
	struct mx_error err = { 0 };
	int64_t count;
	int rc;

	if (argc != 4 || !mx_parse_i64(mx_slice(argv[2]), &count) || count < 1 ||
	    count > COUNT_MAX) {
		fprintf(stderr, "usage: identity_seed DIRECTORY COUNT PEPPER\n");
		return 2;
	}
	rc = seed(argv[1], (unsigned)count, argv[3], &err);
	if (rc)
		fprintf(stderr, "identity_seed: %s\n", mx_error_text(&err, rc));
	return rc != 0;
}

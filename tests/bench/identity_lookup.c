/*
 * What look-ups cost with N bindings: identity_lookup N DIRECTORY CACHE_MIB MEMORY_MIB prints "name
 * value" lines. Requests are whole ones below HTTP: the JSON tree of 100 hashes in, that of the
 * mappings out; every tenth hash is somebody's.
 */
#include "identity/binding/binding_db.h"
#include "identity/binding/listed.h"
#include "identity/binding/lookup_hash.h"
#include "identity/binding/lookup_memory.h"
#include "identity/binding/pepper.h"
#include "identity/identity.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HASHES      100
#define HIT_EVERY   10
#define BATCH       500
#define PREPARED    256
#define MEASURE_US  INT64_C(4000000)
#define SAMPLES_MAX 1000000

struct bench {
	struct store *store;
	struct pepper *pepper;
	struct identity identity;
	unsigned bindings;
	size_t memory_bytes;
	char text[PEPPER_MAX + 1];
	json_t *prepared[PREPARED];
	int64_t *samples;
	size_t samples_len;
};

static void print_figure(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
	fflush(stdout);
}

static int64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* ---- bindings */

static void name_address(char address[64], unsigned number)
{
	snprintf(address, 64, "person.%07u@mail-%02u.example.com", number, number % 100);
}

static void put_binding(struct store_txn *txn, unsigned number)
{
	char address[64], user[64];
	mx_autofree char *json = NULL;
	struct binding binding = {
		.threepid = { "email", address },
		.user_id = user,
		.ts_ms = 1700000000000,
		.not_before_ms = 1700000000000,
		.not_after_ms = 1700000000000 + BINDING_VALID_MS,
		.origin = "id.example.org",
		.ours = true,
		.number = number + 1,
	};

	name_address(address, number);
	snprintf(user, sizeof(user), "@person.%07u:example.org", number);
	json = mx_strf("{\"address\":\"%s\",\"medium\":\"email\",\"mxid\":\"%s\","
		       "\"not_after\":4853600000000,\"not_before\":1700000000000,"
		       "\"signatures\":{\"id.example.org\":{\"ed25519:0\":\"%086d\"}},"
		       "\"ts\":1700000000000}",
		       address, user, 0);
	binding.signed_json = mx_slice(json);
	binding_db_put(txn, NULL, &binding);
	lookup_update(txn, &binding);
}

static int fill(struct bench *bench, struct mx_error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < bench->bindings; i += BATCH) {
		struct store_txn *txn = store_txn_begin(bench->store);

		for (unsigned j = i; j < i + BATCH && j < bench->bindings; j++)
			put_binding(txn, j);
		rc = store_txn_commit(txn, err);
	}
	return rc;
}

/* ---- requests */

static json_t *make_request(const struct bench *bench, unsigned hit_every)
{
	json_t *addresses = json_array();

	for (unsigned i = 0; i < HASHES; i++) {
		unsigned number = mx_random_below(bench->bindings);
		bool hit = hit_every && i % hit_every == 0;
		struct threepid threepid = { "email", NULL };
		uint8_t hash[LOOKUP_HASH_LEN];
		mx_str_auto text = { 0 };
		char address[64];

		name_address(address, hit ? number : bench->bindings + number);
		threepid.address = address;
		lookup_hash(&threepid, bench->text, hash);
		mx_base64url_add(&text, hash, sizeof(hash));
		json_array_append_new(addresses, json_string(mx_str_slice(&text).ptr));
	}
	return addresses;
}

static void prepare(struct bench *bench, unsigned hit_every)
{
	for (unsigned i = 0; i < PREPARED; i++) {
		json_decref(bench->prepared[i]);
		bench->prepared[i] = make_request(bench, hit_every);
	}
}

static bool run_request(struct bench *bench, const json_t *addresses, struct mx_arena *mem)
{
	const struct identity_call call = {
		.identity = &bench->identity,
		.view = store_view_begin(bench->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	const struct lookup_request request = {
		.addresses = addresses,
		.algorithm = "sha256",
		.pepper = bench->text,
	};
	json_t *mappings = NULL;
	int rc = lookup_addresses(&call, &request, &mappings, NULL);

	store_view_end(call.view);
	json_decref(mappings);
	mx_arena_reset(mem);
	return rc == 0;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(struct bench *bench, double part)
{
	qsort(bench->samples, bench->samples_len, sizeof(*bench->samples), compare);
	return (double)bench->samples[(size_t)((double)(bench->samples_len - 1) * part)] / 1000;
}

static void measure(struct bench *bench, const char *name)
{
	mx_arena_auto *mem = mx_arena_new(64 * 1024);
	int64_t began_us = mx_mono_us(), began_cpu = cpu_us();
	mx_autofree char *label = NULL;

	bench->samples_len = 0;
	while (bench->samples_len < SAMPLES_MAX && mx_mono_us() - began_us < MEASURE_US) {
		int64_t at_us = mx_mono_us();

		if (!run_request(bench, bench->prepared[bench->samples_len % PREPARED], mem))
			abort();
		bench->samples[bench->samples_len++] = mx_mono_us() - at_us;
	}
	label = mx_strf("%s_per_cpu_second", name);
	print_figure(label, (double)bench->samples_len * 1e6 / (double)(cpu_us() - began_cpu));
	mx_free(mx_steal(&label));
	label = mx_strf("%s_p50_ms", name);
	print_figure(label, percentile(bench, 0.5));
	mx_free(mx_steal(&label));
	label = mx_strf("%s_p99_ms", name);
	print_figure(label, percentile(bench, 0.99));
}

static void measure_rotation(struct bench *bench)
{
	int64_t began_us = mx_mono_us();
	mx_autofree char *old = mx_strdup(bench->text);
	char now[PEPPER_MAX + 1];

	if (pepper_rotate(bench->pepper, NULL))
		abort();
	pepper_start(bench->pepper);
	measure(bench, "during_rehash");
	do {
		const struct timespec nap = { .tv_nsec = 50 * 1000 * 1000 };

		nanosleep(&nap, NULL);
		pepper_current(bench->pepper, now);
	} while (streq(now, old));
	print_figure("rehash_s", (double)(mx_mono_us() - began_us) / 1e6);
	pepper_stop(bench->pepper);
}

static int run(struct bench *bench, struct mx_error *err)
{
	const struct pepper_conf conf = { .store = bench->store,
					  .memory_bytes = bench->memory_bytes };
	int64_t began_us = mx_mono_us();
	int rc = pepper_new(&conf, &bench->pepper, err);

	if (rc == 0)
		rc = fill(bench, err);
	if (rc)
		return rc;
	print_figure("fill_s", (double)(mx_mono_us() - began_us) / 1e6);
	print_figure("bytes_per_binding",
		     (double)lookup_memory_bytes(bench->pepper->memory) / bench->bindings);
	bench->identity.pepper = bench->pepper;
	pepper_current(bench->pepper, bench->text);
	prepare(bench, 0);
	measure(bench, "misses");
	prepare(bench, 1);
	measure(bench, "hits");
	prepare(bench, HIT_EVERY);
	measure(bench, "mixed");
	measure_rotation(bench);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct store_table *const tables[] = { &binding_table,
							    &binding_user_table,
							    &binding_log_table,
							    &lookup_table,
							    &pepper_table,
							    &listed_table,
							    NULL };
	struct bench bench = { 0 };
	struct store_conf conf = { .tables = tables };
	struct mx_error err = { 0 };
	int rc;

	if (argc != 5) {
		fprintf(stderr, "usage: %s BINDINGS DIRECTORY CACHE_MIB MEMORY_MIB\n", argv[0]);
		return 2;
	}
	bench.bindings = (unsigned)strtoul(argv[1], NULL, 10);
	bench.samples = mx_alloc(SAMPLES_MAX * sizeof(*bench.samples));
	conf.directory = argv[2];
	conf.cache_bytes = strtoul(argv[3], NULL, 10) * 1024 * 1024;
	bench.memory_bytes = strtoul(argv[4], NULL, 10) * 1024 * 1024;
	rc = store_open(&conf, &bench.store, &err);
	if (rc == 0)
		rc = run(&bench, &err);
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	for (unsigned i = 0; i < PREPARED; i++)
		json_decref(bench.prepared[i]);
	pepper_free(bench.pepper);
	store_close(bench.store);
	mx_free(bench.samples);
	return rc != 0;
}

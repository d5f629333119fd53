/*
 * What a history of N servers costs: keys_memory N DIRECTORY prints "name value" lines.
 * Each server has one version of one key, sealed with one more signature, as most have.
 */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"
#include "shared/keys/key_history.h"
#include "shared/store/store.h"

#include <malloc.h>
#include <stdio.h>

#define CACHE_BYTES (64u * 1024 * 1024)
#define PEEKS       2000000

struct bench {
	struct mx_signing_key *origin_key, *notary_key;
	struct store *store;
	struct key_history *history;
	int servers;
};

static int give_up(const char *what, const struct mx_error *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	return 1;
}

static void print_figure(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
}

static void name_server(char name[32], int number)
{
	snprintf(name, 32, "server-%05d.example.org", number);
}

/* ---- objects */

static int countersign(struct mx_slice text, const char *by, const struct mx_signing_key *key,
		       struct mx_str *out)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto signed_bytes = { 0 };
	struct mx_json_doc doc;
	int rc = mx_json_scan(text, &mx_json_default_limits, mem, &doc, NULL);

	if (rc == 0)
		rc = mx_signed_bytes(&doc, &signed_bytes, NULL);
	return rc ? rc : mx_countersign(&doc, mx_str_slice(&signed_bytes), by, &key, 1, out, NULL);
}

static void write_object(const struct bench *bench, const char *server, struct mx_str *out)
{
	mx_str_auto plain = { 0 };

	mx_str_addf(&plain,
		    "{\"old_verify_keys\":{},\"server_name\":\"%s\",\"valid_until_ts\":%lld,"
		    "\"verify_keys\":{\"ed25519:a_bcde\":{\"key\":\"",
		    server, (long long)(mx_now_ms() + MX_DAY_MS));
	mx_base64_add(&plain, mx_signing_key_public(bench->origin_key), MX_ED25519_PUBLIC_LEN);
	mx_str_add_text(&plain, "\"}}}");
	countersign(mx_str_slice(&plain), server, bench->origin_key, out);
}

static int seal(void *ctx, const struct key_object *object, struct mx_str *out,
		struct mx_error *err)
{
	struct bench *bench = ctx;
	const struct mx_signing_key *key = bench->notary_key;

	return mx_countersign(&object->doc, object->signed_bytes, "notary.example.org", &key, 1,
			      out, err);
}

static int record_server(struct bench *bench, int number, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct key_source source = { .source = "origin", .address = "192.0.2.1" };
	mx_str_auto text = { 0 };
	struct key_recorded recorded;
	struct key_object object;
	char server[32];

	name_server(server, number);
	write_object(bench, server, &text);
	if (key_object_check(mx_str_slice(&text), mx_slice(server), KEY_POLICY_ALL, mem, &object,
			     err) != KEY_FINE)
		return -MX_BAD_SIGNATURE;
	return key_history_record(bench->history, &object, &source, &recorded, err);
}

/* ---- measuring */

static int open_history(struct bench *bench, struct mx_error *err)
{
	const struct key_history_conf conf = {
		.store = bench->store,
		.cache_bytes = CACHE_BYTES,
		.seal = seal,
		.seal_ctx = bench,
		.seal_id = MX_SLICE("bench"),
	};

	return key_history_new(&conf, &bench->history, err);
}

static int record_all(struct bench *bench, struct mx_error *err)
{
	int64_t start_us = mx_mono_us();

	for (int i = 0; i < bench->servers; i++) {
		int rc = record_server(bench, i, err);

		if (rc)
			return rc;
	}
	print_figure("record_us", (double)(mx_mono_us() - start_us) / bench->servers);
	return 0;
}

static int load_all(struct bench *bench, struct mx_error *err)
{
	size_t before = mallinfo2().uordblks;
	int64_t start_us = mx_mono_us();
	struct key_history_stats stats;

	for (int i = 0; i < bench->servers; i++) {
		struct key_entry *entry;
		char server[32];
		int rc;

		name_server(server, i);
		rc = key_history_load(bench->history, mx_slice(server), &entry, err);
		if (rc)
			return rc;
		key_entry_unref(entry);
	}
	print_figure("load_us", (double)(mx_mono_us() - start_us) / bench->servers);
	key_history_stats(bench->history, &stats);
	print_figure("entries", (double)stats.cached_entries);
	print_figure("accounted_bytes", (double)stats.cached_bytes / bench->servers);
	print_figure("heap_bytes", (double)(mallinfo2().uordblks - before) / bench->servers);
	return 0;
}

static void peek_all(struct bench *bench)
{
	int64_t start_us = mx_mono_us();
	size_t bytes = 0;

	for (int i = 0; i < PEEKS; i++) {
		struct key_entry *entry;
		char server[32];

		name_server(server, i % bench->servers);
		entry = key_history_peek(bench->history, mx_slice(server));
		bytes += entry ? entry->versions[0].bytes.len + entry->versions[0].sealed.len : 0;
		key_entry_unref(entry);
	}
	print_figure("peek_us", (double)(mx_mono_us() - start_us) / PEEKS);
	print_figure("payload_bytes", (double)bytes / PEEKS);
}

static int run(struct bench *bench, struct mx_error *err)
{
	int rc = open_history(bench, err);

	if (rc == 0)
		rc = record_all(bench, err);
	if (rc)
		return rc;
	key_history_free(bench->history);
	malloc_trim(0);
	rc = open_history(bench, err);
	if (rc == 0)
		rc = load_all(bench, err);
	if (rc == 0)
		peek_all(bench);
	return rc;
}

int main(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct store_conf conf = { .tables = key_history_tables };
	struct mx_error err = { 0 };
	int64_t servers;

	if (argc != 3 || !mx_parse_i64(mx_slice(argv[1]), &servers) || servers < 1 ||
	    servers > 99999) {
		fprintf(stderr, "usage: keys_memory SERVERS DIRECTORY\n");
		return 2;
	}
	mx_crypto_init();
	bench.servers = (int)servers;
	bench.origin_key = mx_signing_key_new("ed25519:a_bcde", (const uint8_t[32]){ 1 });
	bench.notary_key = mx_signing_key_new("ed25519:n_1", (const uint8_t[32]){ 2 });
	conf.directory = argv[2];
	if (store_open(&conf, &bench.store, &err))
		return give_up("store", &err);
	if (run(&bench, &err))
		return give_up("history", &err);
	key_history_free(bench.history);
	store_close(bench.store);
	mx_signing_key_free(bench.origin_key);
	mx_signing_key_free(bench.notary_key);
	return 0;
}

/* trinity-identity import-sydent: from its files to the running daemon. */
#include "identity/commands.h"
#include "identity/identity_conf.h"
#include "identity/import/sydent.h"
#include "identity/import/sydent_conf.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_ITEMS    200
#define ROWS_SHOWN_MAX 1000
#define SOURCE         "Sydent"
#define CLASS_MAX      32

static const char usage[] = "import-sydent [--dry-run] SYDENT.DB [SYDENT.CONF]";

/* How many rows of a table ended how. */
struct tally {
	const char *table;
	char class[CLASS_MAX];
	long long count;
};

struct import {
	const struct identity_conf *conf;
	bool dry_run, new_pepper;
	bool sent; /* something was taken over */
	json_t *batch;
	struct import_row rows[BATCH_ITEMS]; /* of the batch */
	struct mx_vec(struct tally) tallies;
	long long shown;
};

/* ---- counting */

static void count(struct import *import, const char *table, struct mx_slice class)
{
	struct tally tally = { .table = table, .count = 1 };

	for (size_t i = 0; i < import->tallies.len; i++) {
		struct tally *at = &import->tallies.items[i];

		if (streq(at->table, table) && mx_slice_is(class, at->class)) {
			at->count++;
			return;
		}
	}
	snprintf(tally.class, sizeof(tally.class), "%.*s", MX_SLICE_ARG(class));
	mx_vec_push(&import->tallies, tally);
}

/* What is nobody's fault is only counted. */
static bool is_expected(struct mx_slice class)
{
	static const char *const expected[] = { "new", "known", "older", "over", "unused" };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (mx_slice_is(class, expected[i]))
			return true;
	return false;
}

static void note(struct import *import, const struct import_row *row, const char *outcome)
{
	struct mx_slice class = mx_slice_of(outcome, strcspn(outcome, ":"));

	count(import, row->table, class);
	if (is_expected(class))
		return;
	if (import->shown++ < ROWS_SHOWN_MAX)
		printf("left out: %s %lld: %s\n", row->table, (long long)row->number, outcome);
	else if (import->shown == ROWS_SHOWN_MAX + 1)
		puts("left out: and more; they are counted below");
}

static void print_tallies(const struct import *import)
{
	const char *table = "";

	for (size_t i = 0; i < import->tallies.len; i++) {
		table = import->tallies.items[i].table;
		for (size_t k = 0; k < i; k++)
			if (streq(import->tallies.items[k].table, table))
				table = NULL;
		if (!table)
			continue;
		printf("%s:", table);
		for (size_t k = i; k < import->tallies.len; k++)
			if (streq(import->tallies.items[k].table, table))
				printf(" %lld %s", import->tallies.items[k].count,
				       import->tallies.items[k].class);
		putchar('\n');
	}
}

/* ---- sending */

static void note_outcomes(struct import *import, const json_t *outcomes)
{
	for (size_t i = 0; i < json_array_size(import->batch); i++) {
		const char *outcome = json_string_value(json_array_get(outcomes, i));

		note(import, &import->rows[i], outcome ? outcome : "unsaid");
		if (streq(import->rows[i].table, "hashing_metadata"))
			import->new_pepper = streq(outcome, "new");
	}
}

static int send_batch(struct import *import, struct mx_error *err)
{
	json_auto_t *body = json_pack("{s:s, s:b, s:O}", "source", SOURCE, "dry_run",
				      import->dry_run, "items", import->batch);
	json_auto_t *answer = identity_ask(import->conf, "POST", "/admin/v1/import", body);

	if (!answer)
		return mx_fail(err, MX_REMOTE_FAILED,
			       "The import stopped; what was sent before is kept, and it can be "
			       "run again");
	import->sent = true;
	note_outcomes(import, jarr(answer, "outcomes"));
	json_array_clear(import->batch);
	return 0;
}

static int take(void *ctx, const struct import_row *row, json_t *item, struct mx_error *err)
{
	struct import *import = ctx;

	import->rows[json_array_size(import->batch)] = *row;
	json_array_append_new(import->batch, item);
	return json_array_size(import->batch) < BATCH_ITEMS ? 0 : send_batch(import, err);
}

static void leave(void *ctx, const struct import_row *row, const char *why)
{
	note(ctx, row, why);
}

/* ---- what stands beside the database */

static int check_name(const struct import *import, const struct sydent_conf *theirs,
		      struct mx_error *err)
{
	const char *name = sydent_conf_get(theirs, "general", "server.name");

	if (!name || streq(name, import->conf->server_name))
		return 0;
	return mx_fail(err, MX_BAD_CONFIG,
		       "server_name is %s here: signatures would name another service than those "
		       "that Sydent made",
		       import->conf->server_name);
}

/* Links that rooms keep for ever begin with it. */
static void warn_of_url(const struct import *import, const struct sydent_conf *theirs)
{
	const char *url = sydent_conf_get(theirs, "http", "client_http_base");
	size_t len = url ? strlen(url) : 0;

	while (len && url[len - 1] == '/')
		len--;
	if (url && !mx_slice_is(mx_slice_of(url, len), import->conf->public_base_url))
		fputs(IDENTITY_PROGRAM ": public_base_url is not Sydent's: links of its invites "
				       "must still lead here\n",
		      stderr);
}

/* The daemon signs with it from now on. */
static int take_key(const struct import *import, const struct sydent_conf *theirs,
		    struct mx_error *err)
{
	bool added;
	int rc = sydent_conf_key(theirs, import->conf->keys.signing_file, &added, err);
	json_t *answer;

	if (rc || !added)
		return rc;
	answer = identity_ask(import->conf, "POST", "/admin/v1/reload", NULL);
	if (!answer)
		return mx_fail(err, MX_REMOTE_FAILED, "Sydent's key is in %s, but not in use",
			       import->conf->keys.signing_file);
	json_decref(answer);
	printf("the signing key is in %s\n", import->conf->keys.signing_file);
	return 0;
}

static int use_conf(const struct import *import, const struct sydent_conf *theirs,
		    struct mx_error *err)
{
	int rc;

	puts("# what Sydent was configured with:");
	sydent_conf_print(theirs, stdout);
	rc = check_name(import, theirs, err);
	if (rc)
		return rc;
	warn_of_url(import, theirs);
	return import->dry_run ? 0 : take_key(import, theirs, err);
}

static void print_peers(struct sqlite3 *database)
{
	json_t *peers = NULL, *peer;
	size_t i;

	if (sydent_peers(database, &peers, NULL) == 0 && json_array_size(peers))
		puts("# and its peers:\nreplication:\n  peers:");
	json_array_foreach (peers, i, peer)
		printf("    - name: \"%s\"\n      public_keys: [\"%s\"]\n",
		       console_word(peer, "name"), console_word(peer, "public_key"));
	json_decref(peers);
}

/* ---- all of it */

static int read_database(struct import *import, struct sqlite3 *database, struct mx_error *err)
{
	const struct sydent_reading reading = { import->conf->server_name, mx_now_ms() };
	const struct import_visitor visitor = { take, leave, import };
	int rc = sydent_read(database, &reading, &visitor, err);

	/* What was read before a failure is good. */
	if (json_array_size(import->batch) && send_batch(import, rc ? NULL : err))
		rc = rc ? rc : -MX_REMOTE_FAILED;
	return rc;
}

static int run(struct import *import, const char *path, const struct sydent_conf *theirs,
	       struct mx_error *err)
{
	struct sqlite3 *database;
	int rc = sydent_open(path, &database, err);

	if (rc)
		return rc;
	print_peers(database);
	rc = theirs ? use_conf(import, theirs, err) : 0;
	if (rc == 0)
		rc = read_database(import, database, err);
	sydent_close(database);
	print_tallies(import);
	return rc;
}

/* For the audit log. Sydent never changed the five characters of its pepper. */
static void end_import(const struct import *import)
{
	json_auto_t *body = json_pack("{s:s, s:b}", "source", SOURCE, "rotate_pepper",
				      import->new_pepper);

	if (!import->dry_run)
		json_decref(identity_ask(import->conf, "POST", "/admin/v1/import/end", body));
}

static int import_files(struct import *import, const char *database, const char *conf)
{
	struct sydent_conf *theirs = NULL;
	struct mx_error err = { 0 };
	int rc = conf ? sydent_conf_load(conf, &theirs, &err) : 0;

	import->batch = json_array();
	if (rc == 0)
		rc = run(import, database, theirs, &err);
	if (import->sent)
		end_import(import);
	json_decref(import->batch);
	mx_vec_done(&import->tallies);
	sydent_conf_free(theirs);
	if (rc)
		return identity_failed(&err);
	puts(import->dry_run ? "nothing was changed" : "imported");
	return EXIT_SUCCESS;
}

int identity_command_import_sydent(const void *conf, int argc, char **argv)
{
	struct import import = { .conf = conf };
	const struct console_option options[] = { { "--dry-run", .flag = &import.dry_run }, { 0 } };

	if (!console_options(&argc, argv, options) || (argc != 2 && argc != 3))
		return identity_usage(usage);
	return import_files(&import, argv[1], argc == 3 ? argv[2] : NULL);
}

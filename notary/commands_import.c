/* trinity-notary import and export: between files or databases and the running daemon. */
#include "notary/commands.h"
#include "notary/import/import_source.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/daemon/console.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

#include <stdio.h>

#define BATCH_OBJECTS    200
#define BATCH_BYTES      (2u * 1024 * 1024) /* quoted for JSON they grow */
#define OBJECT_BYTES_MAX (64u * 1024)

struct import {
	const void *conf;
	const char *kind;
	json_t *batch;
	size_t batch_bytes;
	json_int_t read, fresh, renewed, known, conflicts, rejected;
};

static const struct {
	const char *kind;
	int (*read)(const char *source, const struct import_visitor *visitor, struct mx_error *err);
} kinds[] = {
	{ "synapse", import_synapse },
	{ "key-server", import_key_server },
	{ "trinity", import_lines },
};

static void add_report(struct import *import, const json_t *report)
{
	json_t *item;
	size_t i;

	import->fresh += jint(report, "new", 0);
	import->renewed += jint(report, "renewed", 0);
	import->known += jint(report, "known", 0);
	import->conflicts += jint(report, "conflicts", 0);
	json_array_foreach (jarr(report, "rejected"), i, item) {
		import->rejected++;
		printf("rejected %s: %s: %s\n", jstr_or(item, "server", "?"),
		       jstr_or(item, "reason", "?"), jstr_or(item, "detail", "?"));
	}
}

static int send_batch(struct import *import, struct mx_error *err)
{
	mx_autofree char *source = mx_strf("import %s", import->kind);
	json_auto_t *body = json_pack("{s:s, s:o}", "source", source, "objects", import->batch);
	json_auto_t *report = command_ask(import->conf, "POST", "/admin/v1/import", body);

	import->batch = json_array();
	import->batch_bytes = 0;
	if (!report)
		return mx_fail(err, MX_REMOTE_FAILED,
			       "The import stopped; what was sent before is "
			       "kept, and it can be run again");
	add_report(import, report);
	return 0;
}

static void refuse(void *ctx, struct mx_slice what, const char *why)
{
	struct import *import = ctx;

	import->rejected++;
	printf("rejected %.*s: %s\n", MX_SLICE_ARG(what), why);
}

static void reject(struct import *import, struct mx_slice server, const char *why)
{
	import->read++;
	refuse(import, server, why);
}

/* What the daemon could not even be sent is counted here: it must not cost the others of its
 * batch their place. */
static int visit_object(void *ctx, struct mx_slice server, struct mx_slice object,
			struct mx_error *err)
{
	struct import *import = ctx;
	json_t *item;

	/* Such a name may hold anything, and is not shown. */
	if (!mx_server_name_valid(server)) {
		reject(import, MX_SLICE("a row"), "bad_name: No Matrix server name");
		return 0;
	}
	if (object.len > OBJECT_BYTES_MAX) {
		reject(import, server, "too_large: More than 64 KiB");
		return 0;
	}
	item = json_pack("{s:s%, s:s%}", "server", server.ptr, server.len, "object", object.ptr,
			 object.len);
	if (!item || memchr(object.ptr, '\0', object.len)) {
		json_decref(item);
		reject(import, server, "not_json: No UTF-8 text");
		return 0;
	}
	import->read++;
	json_array_append_new(import->batch, item);
	import->batch_bytes += server.len + object.len;
	if (json_array_size(import->batch) < BATCH_OBJECTS && import->batch_bytes < BATCH_BYTES)
		return 0;
	return send_batch(import, err);
}

static int run_import(struct import *import, size_t kind, const char *source)
{
	const struct import_visitor visitor = { visit_object, refuse, import };
	struct mx_error err = { 0 };
	int rc;

	import->batch = json_array();
	rc = kinds[kind].read(source, &visitor, &err);
	/* What was read before a failure is good. */
	if (json_array_size(import->batch) && send_batch(import, rc ? NULL : &err))
		rc = rc ? rc : -MX_REMOTE_FAILED;
	json_decref(import->batch);
	printf("%lld read, %lld new, %lld renewed, %lld known, %lld conflicting, %lld rejected\n",
	       (long long)import->read, (long long)import->fresh, (long long)import->renewed,
	       (long long)import->known, (long long)import->conflicts, (long long)import->rejected);
	if (rc)
		return console_fail(NOTARY_PROGRAM, &err);
	return EXIT_SUCCESS;
}

int command_import(const void *conf, int argc, char **argv)
{
	struct import import = { .conf = conf };

	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (streq(argv[1], kinds[i].kind)) {
			import.kind = kinds[i].kind;
			return run_import(&import, i, argv[2]);
		}
	return command_usage("import synapse FILE.db|postgresql://… | "
			     "import key-server postgresql://… | import trinity FILE|-");
}

/* ---- export */

static void print_page(const json_t *page)
{
	json_t *object;
	size_t i;

	json_array_foreach (jarr(page, "objects"), i, object) {
		/* Some readers end a line at more than a newline. */
		json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
	}
}

int command_export(const void *conf, int argc, char **argv)
{
	mx_str_auto path = { 0 };
	bool more = true;

	(void)argv;
	if (argc != 1)
		return command_usage("export");
	mx_str_add_text(&path, "/admin/v1/export");
	while (more) {
		json_auto_t *page = command_ask(conf, "GET", path.ptr, NULL);

		if (!page)
			return EXIT_FAILURE;
		print_page(page);
		more = jstr(page, "next") != NULL;
		mx_str_clear(&path);
		mx_str_add_text(&path, "/admin/v1/export?after=");
		if (more)
			mx_url_add(&path, jslice(page, "next"));
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

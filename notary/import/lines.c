#include "notary/import/import_source.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <errno.h>
#include <stdio.h>

#define LINE_BYTES_MAX (1024 * 1024)

static int visit_line(struct mx_slice line, size_t number, import_visit_fn *visit, void *ctx,
		      struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_auto_t *row = NULL;

	if (mx_json_parse(line, &mx_json_default_limits, mem, &row, NULL) || !jstr(row, "server") ||
	    !jstr(row, "object"))
		return mx_fail(err, MX_BAD_JSON, "Line %zu has no server and object", number);
	return visit(ctx, jslice(row, "server"), jslice(row, "object"), err);
}

static int visit_lines(FILE *file, import_visit_fn *visit, void *ctx, struct mx_error *err)
{
	mx_autofree char *line = NULL;
	size_t cap = 0, number = 0;
	ssize_t len;
	int rc = 0;

	while (rc == 0 && (len = getline(&line, &cap, file)) > 0) {
		if (len > LINE_BYTES_MAX)
			return mx_fail(err, MX_TOO_LARGE, "Line %zu is too long", number + 1);
		rc = visit_line(mx_slice_of(line, (size_t)len), ++number, visit, ctx, err);
	}
	if (rc == 0 && ferror(file))
		return mx_fail(err, MX_INVALID_PARAM, "Reading stopped: %s", strerror(errno));
	return rc;
}

int import_lines(const char *source, import_visit_fn *visit, void *ctx, struct mx_error *err)
{
	FILE *file;
	int rc;

	if (streq(source, "-"))
		return visit_lines(stdin, visit, ctx, err);
	file = fopen(source, "re");
	if (!file)
		return mx_fail(err, MX_INVALID_PARAM, "%s: %s", source, strerror(errno));
	rc = visit_lines(file, visit, ctx, err);
	fclose(file);
	return rc;
}

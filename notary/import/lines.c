#include "notary/import/import_source.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <errno.h>
#include <stdio.h>

#define LINE_BYTES_MAX (1024 * 1024)

static void refuse(const struct import_visitor *visitor, size_t number, const char *why)
{
	mx_autofree char *what = mx_strf("line %zu", number);

	visitor->refuse(visitor->ctx, mx_slice(what), why);
}

static int visit_line(struct mx_slice line, size_t number, const struct import_visitor *visitor,
		      struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_auto_t *row = NULL;

	if (line.len > LINE_BYTES_MAX) {
		refuse(visitor, number, "too_large: Longer than any export writes");
		return 0;
	}
	if (strspn(line.ptr, " \t\r") == line.len) /* read_line() ends it with NUL */
		return 0;
	if (mx_json_parse(line, &mx_json_default_limits, mem, &row, NULL) || !jstr(row, "server") ||
	    !jstr(row, "object")) {
		refuse(visitor, number, "not_json: No object with server and object");
		return 0;
	}
	return visitor->visit(visitor->ctx, jslice(row, "server"), jslice(row, "object"), err);
}

/* The next line without its end; of one that is too long, no more than its length matters. False
 * at the end of the file. */
static bool read_line(FILE *file, char line[LINE_BYTES_MAX + 1], size_t *ret_len)
{
	size_t len = 0;
	int c;

	while ((c = getc(file)) != EOF && c != '\n') {
		if (len < LINE_BYTES_MAX)
			line[len] = (char)c;
		len++;
	}
	line[len < LINE_BYTES_MAX ? len : LINE_BYTES_MAX] = '\0';
	*ret_len = len;
	return c != EOF || len > 0;
}

static int visit_lines(FILE *file, const struct import_visitor *visitor, struct mx_error *err)
{
	mx_autofree char *line = mx_alloc(LINE_BYTES_MAX + 1);
	size_t len, number = 0;
	int rc = 0;

	while (rc == 0 && read_line(file, line, &len))
		rc = visit_line(mx_slice_of(line, len), ++number, visitor, err);
	if (rc == 0 && ferror(file))
		return mx_fail(err, MX_INVALID_PARAM, "Reading stopped: %s", strerror(errno));
	return rc;
}

int import_lines(const char *source, const struct import_visitor *visitor, struct mx_error *err)
{
	FILE *file;
	int rc;

	if (streq(source, "-"))
		return visit_lines(stdin, visitor, err);
	file = fopen(source, "re");
	if (!file)
		return mx_fail(err, MX_INVALID_PARAM, "%s: %s", source, strerror(errno));
	rc = visit_lines(file, visitor, err);
	fclose(file);
	return rc;
}

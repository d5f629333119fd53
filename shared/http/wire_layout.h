/* Refuses what the parser of libmicrohttpd before 1.0 repairs silently: it splices folded lines
 * into header *names*, ends lines at a bare LF, cuts values at NUL and skips extra blanks of the
 * request line. README.md tells the story. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The old parser works in place: method, target, version, names and values are pieces of one
 * buffer, with NULs where separators stood. So if the pieces, with the separators that RFC 9112
 * knows between them, fill the block from the method to the empty line, nothing was repaired. A
 * folded line, a second LF or a missing CR is a byte too many or too few.
 */
struct wire_layout {
	const char *end; /* of the header block, its empty line included */
	const char *next; /* where the next piece must begin; NULL: it did not fit */
};

/* target: as it was when the request line had been read; block_len: as the library counted. */
struct wire_layout wire_layout_begin(const char *method, struct mx_slice target,
				     const char *version, size_t block_len);
void wire_layout_header(struct wire_layout *layout, struct mx_slice name, struct mx_slice value);
bool wire_layout_is_clean(const struct wire_layout *layout);

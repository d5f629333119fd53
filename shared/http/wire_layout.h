/* Refuses what libmicrohttpd 0.9.75 repairs silently. That version splices folded lines into
 * header names, ends lines at a bare LF, cuts names and values at NUL and skips extra blanks of
 * the request line; from 0.9.77 on its own client discipline refuses all that. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The old parser works in place: method, target, version, names and values are pieces of one
 * buffer, with NULs where separators stood. So if every byte from the method to the empty line
 * is accounted for by exactly the separators that RFC 9112 knows, nothing was repaired. A folded
 * header's name is moved out of the buffer, a bare LF leaves one NUL instead of two.
 */
struct wire_layout {
	const char *end; /* of the header block, its empty line included */
	const char *next; /* where the next piece must begin */
	bool broken;
};

/* target: as it was when the request line had been read; block_len: as the library counted. */
struct wire_layout wire_layout_begin(const char *method, struct mx_slice target,
				     const char *version, size_t block_len);
void wire_layout_header(struct wire_layout *layout, struct mx_slice name, struct mx_slice value);
bool wire_layout_is_clean(const struct wire_layout *layout);

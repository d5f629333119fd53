/* Which addresses a reading had: eight bytes each, of a keyed hash, so that nobody can make two of
 * them alike. */
#pragma once

#include "shared/threepid/threepid.h"

#include <stddef.h>
#include <stdint.h>

struct seen {
	uint8_t key[16];
	uint64_t *slots;
	size_t len, cap;
};

void seen_init(struct seen *seen);
void seen_done(struct seen *seen);
/* False if it is there already. */
bool seen_add(struct seen *seen, const struct threepid *threepid);
bool seen_has(const struct seen *seen, const struct threepid *threepid);

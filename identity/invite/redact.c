#include "identity/invite/redact.h"

#include "shared/core/utf8.h"

#include <string.h>

/* How much of a part may be seen that is not longer than the limit: see deployed services, whose
 * rooms compare these names by eye. */
#define MEDIUM_LONGER_THAN 5
#define MEDIUM_SHOWN       3

static size_t letters_shown(size_t letters, size_t max)
{
	if (letters > max)
		return max;
	if (letters > MEDIUM_LONGER_THAN)
		return MEDIUM_SHOWN;
	return letters > 1 ? 1 : 0;
}

static void redact_part(struct mx_slice part, size_t max, struct mx_str *out)
{
	size_t shown = letters_shown(mx_utf8_count(part), max);
	size_t at = 0;

	while (shown-- > 0)
		at += mx_utf8_step(mx_slice_of(part.ptr + at, part.len - at));
	mx_str_add(out, part.ptr, at);
	mx_str_add_text(out, "...");
}

void redact_address(struct mx_slice address, unsigned local_max, unsigned domain_max,
		    struct mx_str *out)
{
	const char *sign = memchr(address.ptr, '@', address.len);
	size_t local = sign ? (size_t)(sign - address.ptr) : address.len;
	size_t domain = sign ? local + 1 : local;

	redact_part(mx_slice_of(address.ptr, local), local_max, out);
	mx_str_add_char(out, '@');
	redact_part(mx_slice_of(address.ptr + domain, address.len - domain), domain_max, out);
}

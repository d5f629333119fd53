/* A whole message of an older service: its parts are pieces of it, and its subject is one line. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/error.h"
#include "shared/mail/eml.h"

static void is_piece(const char *part, struct mx_slice message)
{
	size_t len = part ? strlen(part) : 0;

	FUZZ_ASSERT(len == 0 || memmem(message.ptr, message.len, part, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice message = mx_slice_of(size ? (const char *)data : "", size);
	struct eml eml = { 0 };

	eml_read(message, "cut", &eml);
	is_piece(eml.text, message);
	is_piece(eml.html, message);
	FUZZ_ASSERT(eml.subject && strlen(eml.subject) <= size);
	FUZZ_ASSERT(!strchr(eml.subject, '\n'));
	eml_done(&eml);
	FUZZ_ASSERT(!eml.subject && !eml.text && !eml.html);
	return 0;
}

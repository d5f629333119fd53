/* Addresses as rooms see them: `address`, the limits `local` and `domain` (3 each), and what is
 * `shown`. */
#include "identity/invite/redact.h"

#include "shared/json/json.h"
#include "tests/support/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void an_address_is_redacted(void **state)
{
	const json_t *test = *state;
	mx_str_auto shown = { 0 };

	redact_address(jslice(test, "address"), (unsigned)jint(test, "local", 3),
		       (unsigned)jint(test, "domain", 3), &shown);
	assert_string_equal(shown.ptr, jstr(test, "shown"));
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/identity_redaction", an_address_is_redacted);
}

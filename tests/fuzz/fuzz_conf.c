/* Any bytes as the notary's configuration: refused with a place and a reason, or written and read
 * again as the same, with defaults filled in or not. */
#include "tests/fuzz/fuzz.h"

#include "notary/notary_conf.h"
#include "shared/core/error.h"
#include "shared/daemon/conf.h"

#include <stdlib.h>

static const struct daemon_app app = { .name = "trinity-notary",
				       .conf_schema = &notary_conf_schema };

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_same_again(const struct conf *conf)
{
	mx_str_auto first = { 0 }, second = { 0 };
	struct mx_error err = { 0 };
	struct conf *again = NULL;

	conf_write(conf, &first);
	require(conf_parse(&app, "f", mx_str_slice(&first), &again, &err) == 0);
	conf_write(again, &second);
	require(mx_slice_eq(mx_str_slice(&first), mx_str_slice(&second)));
	require(conf_same(conf, again, "listen") && conf_same(conf, again, "fetch.total_ms"));
	conf_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	if (conf_parse(&app, "f", mx_slice_of(data, size), &conf, &err)) {
		require(mx_starts_with(err.text, "f:") && strlen(err.text) > 4);
		return 0;
	}
	require_same_again(conf);
	if (notary_conf_check(conf_values(conf), &err) == 0)
		require_same_again(conf);
	conf_free(conf);
	return 0;
}

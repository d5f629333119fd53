/* Any bytes as a configuration: refused with a place and a reason, or written and read again as
 * the same. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/error.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"

#include <stdlib.h>

struct small_conf {
	struct daemon_conf common;
	char *server_name;
	bool status_page;
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("server_name", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct small_conf, server_name, 0, 255),
	CYAML_FIELD_BOOL("status_page", CYAML_FLAG_OPTIONAL, struct small_conf, status_page),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct small_conf, fields),
};

static const struct daemon_app app = { .name = "trinity-small", .conf_schema = &schema };

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_str_auto first = { 0 }, second = { 0 };
	struct mx_error err = { 0 };
	struct conf *conf = NULL, *again = NULL;

	if (conf_parse(&app, "f", mx_slice_of(data, size), &conf, &err)) {
		require(mx_starts_with(err.text, "f:") && strlen(err.text) > 4);
		return 0;
	}
	conf_write(conf, &first);
	require(conf_parse(&app, "f", mx_str_slice(&first), &again, &err) == 0);
	conf_write(again, &second);
	require(mx_slice_eq(mx_str_slice(&first), mx_str_slice(&second)));
	conf_free(again);
	conf_free(conf);
	return 0;
}

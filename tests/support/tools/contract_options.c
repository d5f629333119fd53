/* Prints every option that the configuration of its daemon may have, a line each: "log.level". The
 * tests hold samples and manual pages against it. */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/daemon/daemon.h"

#if defined(FOR_NOTARY)
#include "notary/notary_conf.h"
#define CONF_SCHEMA notary_conf_schema
#elif defined(FOR_IDENTITY)
#include "identity/identity_conf.h"
#define CONF_SCHEMA identity_conf_schema
#else
#include "homeserver/hs_conf.h"
#define CONF_SCHEMA hs_conf_schema
#endif

#include <stdio.h>

/* The entries of a list are as the list. */
static const cyaml_schema_field_t *parts_of(const cyaml_schema_value_t *value)
{
	if (value->type == CYAML_SEQUENCE)
		value = value->sequence.entry;
	return value->type == CYAML_MAPPING ? value->mapping.fields : NULL;
}

static void print_options(const cyaml_schema_field_t *fields, const char *before)
{
	for (; fields->key; fields++) {
		const cyaml_schema_field_t *parts = parts_of(&fields->value);
		mx_autofree char *section = mx_strf("%s%s.", before, fields->key);

		if (parts)
			print_options(parts, section);
		else
			printf("%s%s\n", before, fields->key);
	}
}

int main(void)
{
	print_options(daemon_conf_fields, "");
	print_options(CONF_SCHEMA.mapping.fields, "");
	return 0;
}

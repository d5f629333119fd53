/* Prints every option that the configuration of a daemon may have, a line each: "log.level". The
 * tests hold samples and manual pages against it. */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/daemon/daemon.h"

#ifdef HAVE_NOTARY
#include "notary/notary_conf.h"
#endif
#ifdef HAVE_IDENTITY
#include "identity/identity_conf.h"
#endif

#include <stdio.h>

static const struct {
	const char *name;
	const cyaml_schema_value_t *schema;
} daemons[] = {
#ifdef HAVE_NOTARY
	{ "trinity-notary", &notary_conf_schema },
#endif
#ifdef HAVE_IDENTITY
	{ "trinity-identity", &identity_conf_schema },
#endif
	{ 0 },
};

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

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && daemons[i].name; i++) {
		if (!streq(daemons[i].name, argv[1]))
			continue;
		print_options(daemon_conf_fields, "");
		print_options(daemons[i].schema->mapping.fields, "");
		return 0;
	}
	fputs("usage: contract_options DAEMON\n", stderr);
	return 1;
}

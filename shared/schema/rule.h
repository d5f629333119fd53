/* A compiled schema: what one value must satisfy. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define RULE_NULL    (1u << 0)
#define RULE_BOOLEAN (1u << 1)
#define RULE_INTEGER (1u << 2)
#define RULE_REAL    (1u << 3)
#define RULE_STRING  (1u << 4)
#define RULE_ARRAY   (1u << 5)
#define RULE_OBJECT  (1u << 6)
#define RULE_NUMBER  (RULE_INTEGER | RULE_REAL)

struct mx_schema;
struct mx_schema_rule;
struct mx_schema_text;

struct mx_schema_member {
	const char *name;
	const struct mx_schema_rule *rule;
};

struct mx_schema_format {
	const char *name;
	bool (*holds)(struct mx_slice text);
};

struct mx_schema_rule {
	unsigned types; /* RULE_ bits; 0 allows all */
	const json_t *choices; /* an array, or NULL */
	const json_t *constant; /* or NULL */

	int64_t minimum, maximum;
	size_t min_length, max_length; /* code points */
	const struct mx_schema_format *format; /* or NULL */

	size_t min_items, max_items;
	const struct mx_schema_rule *items; /* or NULL */

	size_t max_members;
	const json_t *required; /* an array of names, or NULL */
	const struct mx_schema_member *members;
	size_t member_count;
	const struct mx_schema_rule *others; /* of members not named above; NULL allows all */
	bool closed; /* there may be no others */
	const struct mx_schema_rule *names; /* or NULL */
};

/* Borrowed from the schema. */
const struct mx_schema_rule *mx_schema_root(const struct mx_schema *schema);

/* NULL if there is none of that name. */
const struct mx_schema_format *mx_schema_format_find(const char *name);

/* Text of the embedded schema, or NULL. */
const struct mx_schema_text *mx_schema_text_find(struct mx_slice name);

struct mx_schema_text {
	const char *name;
	const unsigned char *bytes;
	size_t len;
};

/* Checks JSON against our subset of JSON Schema (schemas/README.md lists the keywords). */
#pragma once

#include <jansson.h>

struct mx_error;
struct mx_schema;

/* The embedded schema `name` ("notary/query", the file schemas/notary/query.json), compiled on
 * first use; NULL if there is none. Shared, never freed by the caller. Thread-safe. */
const struct mx_schema *mx_schema_find(const char *name);

/*
 * 0, or what the first violation is: -MX_BAD_JSON for a wrong type or shape, -MX_MISSING_PARAM
 * for an absent required member, -MX_INVALID_PARAM for a value of the right type that is out of
 * range, pattern or format, -MX_TOO_LARGE over maxItems, maxProperties or maxLength. The text
 * names the place as a JSON pointer.
 */
int mx_schema_check(const struct mx_schema *schema, const json_t *json, struct mx_error *err);

/* For a schema of our own, not embedded (tests). */
struct mx_schema *mx_schema_compile(const json_t *text, struct mx_error *err);
void mx_schema_free(struct mx_schema *schema);

/* Names of all embedded schemas, for the contract test; NULL at the end. */
const char *mx_schema_name(unsigned index);

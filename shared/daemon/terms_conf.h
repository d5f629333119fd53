/* The section `terms` of a daemon's configuration: documents that people have to accept. */
#pragma once

#include <cyaml/cyaml.h>
#include <jansson.h>

struct mx_error;

struct terms_language {
	const char *language, *name, *url;
};

struct terms_document {
	const char *id, *version;
	struct terms_language *languages;
	unsigned languages_count;
};

struct terms_conf {
	struct terms_document *documents;
	unsigned documents_count;
};

extern const cyaml_schema_field_t terms_conf_fields[];

/* -MX_BAD_CONFIG. */
int terms_conf_check(const struct terms_conf *conf, struct mx_error *err);

/* {"policies": {ID: {"version", LANGUAGE: {"name", "url"}}}}, as both APIs tell of them; the caller
 * owns it. */
json_t *terms_documents_json(const struct terms_document *documents, unsigned len);

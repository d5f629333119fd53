#include "shared/daemon/terms_conf.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf_url.h"

#include <stddef.h>

#define DOCUMENTS_MAX 32
#define LANGUAGES_MAX 64
#define TEXT_MAX      4096
#define LIST_MAX      10000

#define NEEDED_OF(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define LIST_OF(type, member, entry)                                                          \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, \
			     &(entry), 0, LIST_MAX)

static const cyaml_schema_field_t language_fields[] = {
	NEEDED_OF(struct terms_language, language),
	NEEDED_OF(struct terms_language, name),
	NEEDED_OF(struct terms_language, url),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t language_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct terms_language, language_fields),
};

static const cyaml_schema_field_t document_fields[] = {
	NEEDED_OF(struct terms_document, id),
	NEEDED_OF(struct terms_document, version),
	LIST_OF(struct terms_document, languages, language_entry),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t document_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct terms_document, document_fields),
};

const cyaml_schema_field_t terms_conf_fields[] = {
	LIST_OF(struct terms_conf, documents, document_entry),
	CYAML_FIELD_END,
};

static int check_document(const struct terms_document *document, struct mx_error *err)
{
	int rc = 0;

	if (document->languages_count == 0 || document->languages_count > LANGUAGES_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "terms.documents: %s needs 1 to %d languages",
			       document->id, LANGUAGES_MAX);
	for (unsigned i = 0; rc == 0 && i < document->languages_count; i++) {
		const struct terms_language *language = &document->languages[i];

		if (streq(language->language, "version"))
			return mx_fail(err, MX_BAD_CONFIG,
				       "terms.documents: version is no language");
		rc = conf_check_url("terms.documents", language->url, err);
	}
	return rc;
}

int terms_conf_check(const struct terms_conf *conf, struct mx_error *err)
{
	int rc = 0;

	if (conf->documents_count > DOCUMENTS_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "terms.documents: at most %d", DOCUMENTS_MAX);
	for (unsigned i = 0; rc == 0 && i < conf->documents_count; i++)
		rc = check_document(&conf->documents[i], err);
	return rc;
}

static json_t *document_json(const struct terms_document *document)
{
	json_t *json = json_pack("{s:s}", "version", document->version);

	for (unsigned i = 0; i < document->languages_count; i++)
		json_object_set_new(json, document->languages[i].language,
				    json_pack("{s:s, s:s}", "name", document->languages[i].name,
					      "url", document->languages[i].url));
	return json;
}

json_t *terms_documents_json(const struct terms_document *documents, unsigned len)
{
	json_t *policies = json_object();

	for (unsigned i = 0; i < len; i++)
		json_object_set_new(policies, documents[i].id, document_json(&documents[i]));
	return json_pack("{s:o}", "policies", policies);
}

#include "identity/source/source_conf.h"

#define NAME_MAX_LEN 64

const cyaml_schema_field_t source_conf_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct source_conf, name, 1,
			       NAME_MAX_LEN),
	CYAML_FIELD_END,
};

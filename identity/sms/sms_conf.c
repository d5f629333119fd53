#include "identity/sms/sms_conf.h"

#define NAME_MAX_LEN 64

const cyaml_schema_field_t sms_conf_fields[] = {
	CYAML_FIELD_STRING_PTR("gateway", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct sms_conf,
			       gateway, 1, NAME_MAX_LEN),
	CYAML_FIELD_END,
};

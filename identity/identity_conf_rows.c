/* Which keys there are; what they may say is in identity_conf.c. */
#include "identity/identity_conf.h"
#include "shared/id/server_name.h"

#include <stddef.h>

#define TEXT_MAX 4096
#define LIST_MAX 10000

/* The type of one section of struct identity_conf, for offsets inside it. */
#define SECTION(name) __typeof__(((struct identity_conf *)0)->name)

#define MAYBE                 CYAML_FLAG_OPTIONAL
#define UINT_OF(type, member) CYAML_FIELD_UINT(#member, MAYBE, type, member)
#define BOOL_OF(type, member) CYAML_FIELD_BOOL_PTR(#member, MAYBE, type, member)
#define NEEDED_OF(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define TEXT_OF(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)
#define LIST_OF(type, member, entry)                                                         \
	CYAML_FIELD_SEQUENCE(#member, CYAML_FLAG_POINTER | MAYBE, type, member, &(entry), 0, \
			     LIST_MAX)

#define UINT(section, member)  UINT_OF(SECTION(section), member)
#define BOOL(section, member)  BOOL_OF(SECTION(section), member)
#define TEXT(section, member)  TEXT_OF(SECTION(section), member)
#define TEXTS(section, member) LIST_OF(SECTION(section), member, text_entry)
#define MAPPING(member, flags) \
	CYAML_FIELD_MAPPING(#member, flags, struct identity_conf, member, member##_fields)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t keys_fields[] = {
	TEXT(keys, signing_file),
	TEXTS(keys, revoked),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t endpoints_fields[] = {
	TEXTS(endpoints, off),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t homeservers_fields[] = {
	TEXTS(homeservers, allow),
	TEXTS(homeservers, deny),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t binding_fields[] = {
	BOOL(binding, tell_owner),
	TEXTS(binding, names),
	UINT(binding, forget_days),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t lookup_fields[] = {
	UINT(lookup, pepper_days),
	UINT(lookup, overlap_hours),
	BOOL(lookup, plain),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t invites_fields[] = {
	UINT(invites, local_max),          UINT(invites, domain_max),
	UINT(invites, expire_days),        UINT(invites, keep_days),
	TEXT(invites, web_client),         TEXTS(invites, block_keywords),
	TEXTS(invites, block_rooms),       TEXTS(invites, block_servers),
	TEXTS(invites, block_homeservers), CYAML_FIELD_END,
};

static const cyaml_schema_field_t audit_fields[] = {
	UINT(audit, days),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t internal_fields[] = {
	TEXT(internal, token_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t requests_fields[] = {
	UINT(limits.requests, per_second),
	UINT(limits.requests, burst),
	CYAML_FIELD_END,
};

#define BUDGET(member) \
	CYAML_FIELD_MAPPING(#member, MAYBE, SECTION(limits), member, budget_limit_fields)

static const cyaml_schema_field_t limits_fields[] = {
	CYAML_FIELD_MAPPING("requests", MAYBE, SECTION(limits), requests, requests_fields),
	BUDGET(registers),
	BUDGET(mail_asker),
	BUDGET(mail_address),
	BUDGET(mail_address_day),
	BUDGET(mail_network),
	BUDGET(sms_number),
	BUDGET(sms_number_day),
	BUDGET(sms_country),
	BUDGET(sms_network),
	BUDGET(invites),
	BUDGET(internal),
	BUDGET(invite_address),
	BUDGET(lookup_misses),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t identity_fields[] = {
	CYAML_FIELD_STRING_PTR("server_name", CYAML_FLAG_POINTER, struct identity_conf, server_name,
			       1, MX_SERVER_NAME_MAX),
	NEEDED_OF(struct identity_conf, public_base_url),
	MAPPING(keys, CYAML_FLAG_DEFAULT),
	MAPPING(endpoints, MAYBE),
	MAPPING(homeservers, MAYBE),
	CYAML_FIELD_MAPPING("mail", MAYBE, struct identity_conf, mail, mail_conf_fields),
	CYAML_FIELD_MAPPING("templates", MAYBE, struct identity_conf, templates, texts_conf_fields),
	CYAML_FIELD_MAPPING("validation", MAYBE, struct identity_conf, validation,
			    validation_conf_fields),
	MAPPING(binding, MAYBE),
	MAPPING(lookup, MAYBE),
	MAPPING(invites, MAYBE),
	MAPPING(audit, MAYBE),
	MAPPING(internal, MAYBE),
	CYAML_FIELD_MAPPING("terms", MAYBE, struct identity_conf, terms, terms_conf_fields),
	MAPPING(limits, MAYBE),
	CYAML_FIELD_MAPPING("sms", MAYBE, struct identity_conf, sms, sms_conf_fields),
	CYAML_FIELD_MAPPING("replication", MAYBE, struct identity_conf, replication,
			    replication_conf_fields),
	LIST_OF(struct identity_conf, sources, source_item),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t identity_conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct identity_conf, identity_fields),
};

/* Which keys there are; what they may say is in hs_conf.c. */
#include "homeserver/hs_conf.h"
#include "shared/id/server_name.h"

#include <stddef.h>

#define TEXT_MAX 4096

/* The type of one section of struct hs_conf, for offsets inside it. */
#define SECTION(name) __typeof__(((struct hs_conf *)0)->name)

#define MAYBE                 CYAML_FLAG_OPTIONAL
#define UINT_OF(type, member) CYAML_FIELD_UINT(#member, MAYBE, type, member)
#define NEEDED_OF(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define TEXT_OF(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)

#define UINT(section, member) UINT_OF(SECTION(section), member)
#define TEXT(section, member) TEXT_OF(SECTION(section), member)
#define MAPPING(member, flags) \
	CYAML_FIELD_MAPPING(#member, flags, struct hs_conf, member, member##_fields)

static const cyaml_schema_field_t keys_fields[] = {
	TEXT(keys, signing_file),
	UINT(keys, validity_hours),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t requests_fields[] = {
	UINT(limits.requests, per_second),
	UINT(limits.requests, burst),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rate_fields[] = {
	UINT_OF(struct rate_conf, per_minute),
	UINT_OF(struct rate_conf, burst),
	CYAML_FIELD_END,
};

#define RATE(member) CYAML_FIELD_MAPPING(#member, MAYBE, SECTION(limits), member, rate_fields)
#define BUDGET(member) \
	CYAML_FIELD_MAPPING(#member, MAYBE, SECTION(limits), member, budget_limit_fields)

static const cyaml_schema_field_t limits_fields[] = {
	CYAML_FIELD_MAPPING("requests", MAYBE, SECTION(limits), requests, requests_fields),
	RATE(logins),
	RATE(registrations),
	RATE(media_uploads),
	BUDGET(mail_asker),
	BUDGET(mail_address),
	BUDGET(mail_address_day),
	BUDGET(mail_network),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t hs_fields[] = {
	CYAML_FIELD_STRING_PTR("server_name", CYAML_FLAG_POINTER, struct hs_conf, server_name, 1,
			       MX_SERVER_NAME_MAX),
	NEEDED_OF(struct hs_conf, public_base_url),
	TEXT_OF(struct hs_conf, default_room_version),
	MAPPING(keys, CYAML_FLAG_DEFAULT),
	MAPPING(limits, MAYBE),
	MAPPING(registration, MAYBE),
	MAPPING(login, MAYBE),
	MAPPING(password, MAYBE),
	MAPPING(sessions, MAYBE),
	MAPPING(profiles, MAYBE),
	MAPPING(presence, MAYBE),
	MAPPING(user_directory, MAYBE),
	CYAML_FIELD_MAPPING("mail", MAYBE, struct hs_conf, mail, mail_conf_fields),
	CYAML_FIELD_MAPPING("templates", MAYBE, struct hs_conf, templates, texts_conf_fields),
	CYAML_FIELD_MAPPING("validation", MAYBE, struct hs_conf, validation,
			    validation_link_fields),
	CYAML_FIELD_MAPPING("identity", MAYBE, struct hs_conf, identity, id_servers_fields),
	CYAML_FIELD_MAPPING("threepids", MAYBE, struct hs_conf, threepids, threepids_fields),
	CYAML_FIELD_MAPPING("recaptcha", MAYBE, struct hs_conf, recaptcha, recaptcha_fields),
	CYAML_FIELD_MAPPING("terms", MAYBE, struct hs_conf, terms, terms_conf_fields),
	MAPPING(media, MAYBE),
	MAPPING(well_known, MAYBE),
	MAPPING(turn, MAYBE),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t hs_conf_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct hs_conf, hs_fields),
};

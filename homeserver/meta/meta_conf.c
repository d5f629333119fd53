#include "homeserver/meta/meta_conf.h"

#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"

#include <stddef.h>

#define TEXT_MAX       4096
#define CONTACTS_MAX   64
#define URIS_MAX       64
#define LIFETIME_HOURS 24

#define MAYBE CYAML_FLAG_OPTIONAL
#define TEXT(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)

typedef __typeof__(*((struct well_known_conf *)0)->contacts) contact;

static const cyaml_schema_field_t contact_fields[] = {
	CYAML_FIELD_STRING_PTR("role", CYAML_FLAG_POINTER, contact, role, 1, TEXT_MAX),
	TEXT(contact, matrix_id),
	TEXT(contact, email_address),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t contact_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, contact, contact_fields),
};

const cyaml_schema_field_t well_known_fields[] = {
	TEXT(struct well_known_conf, identity_server),
	TEXT(struct well_known_conf, server),
	TEXT(struct well_known_conf, support_page),
	CYAML_FIELD_SEQUENCE("contacts", CYAML_FLAG_POINTER | MAYBE, struct well_known_conf,
			     contacts, &contact_entry, 0, CONTACTS_MAX),
	TEXT(struct well_known_conf, policy_key),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t uri_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, TEXT_MAX),
};

const cyaml_schema_field_t turn_fields[] = {
	CYAML_FIELD_SEQUENCE("uris", CYAML_FLAG_POINTER | MAYBE, struct turn_conf, uris, &uri_entry,
			     0, URIS_MAX),
	TEXT(struct turn_conf, secret_file),
	CYAML_FIELD_UINT("lifetime_hours", MAYBE, struct turn_conf, lifetime_hours),
	CYAML_FIELD_END,
};

static int check_contacts(const struct well_known_conf *conf, struct mx_error *err)
{
	for (unsigned i = 0; i < conf->contacts_count; i++) {
		const contact *one = &conf->contacts[i];
		struct mx_id id;

		if (!one->matrix_id && !one->email_address)
			return mx_fail(err, MX_BAD_CONFIG,
				       "well_known.contacts: each needs a matrix_id or an "
				       "email_address");
		if (one->matrix_id && !mx_user_id_parse(mx_slice(one->matrix_id), false, &id))
			return mx_fail(err, MX_BAD_CONFIG, "well_known.contacts: %s is no user id",
				       one->matrix_id);
	}
	return 0;
}

int well_known_conf_check(const struct well_known_conf *conf, struct mx_error *err)
{
	uint8_t key[MX_ED25519_PUBLIC_LEN];

	if (conf->server && !mx_server_name_valid(mx_slice(conf->server)))
		return mx_fail(err, MX_BAD_CONFIG, "well_known.server: %s is no Matrix server name",
			       conf->server);
	if (conf->identity_server && !mx_starts_with(conf->identity_server, "http"))
		return mx_fail(err, MX_BAD_CONFIG, "well_known.identity_server: %s is no URL",
			       conf->identity_server);
	if (conf->policy_key &&
	    !mx_base64_decode_exact(mx_slice(conf->policy_key), key, sizeof(key)))
		return mx_fail(err, MX_BAD_CONFIG, "well_known.policy_key is no Ed25519 key");
	return check_contacts(conf, err);
}

int turn_conf_check(struct turn_conf *conf, struct mx_error *err)
{
	if (conf->lifetime_hours == 0)
		conf->lifetime_hours = LIFETIME_HOURS;
	if (conf->uris_count && !conf->secret_file)
		return mx_fail(err, MX_BAD_CONFIG, "turn.secret_file is missing");
	return 0;
}

#include "homeserver/profile/people_conf.h"

#include "shared/daemon/conf_default.h"

#include <stddef.h>

#define LOCKED_MAX 100
#define KEY_MAX    255

#define MAYBE CYAML_FLAG_OPTIONAL
#define CHOICE(member, rows)                                                                     \
	CYAML_FIELD_ENUM(#member, MAYBE | CYAML_FLAG_STRICT, struct profiles_conf, member, rows, \
			 sizeof(rows) / sizeof((rows)[0]))

static const cyaml_strval_t look_ups[] = {
	{ "everybody", CONF_LOOK_UP_EVERYBODY },
	{ "users", CONF_LOOK_UP_USERS },
	{ "visible", CONF_LOOK_UP_VISIBLE },
};

static const cyaml_strval_t new_displaynames[] = {
	{ "none", CONF_NEW_DISPLAYNAME_NONE },
	{ "localpart", CONF_NEW_DISPLAYNAME_LOCALPART },
};

static const cyaml_schema_value_t key_item = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, KEY_MAX),
};

const cyaml_schema_field_t profiles_fields[] = {
	CHOICE(look_up, look_ups),
	CHOICE(new_displayname, new_displaynames),
	CYAML_FIELD_SEQUENCE("locked", MAYBE | CYAML_FLAG_POINTER, struct profiles_conf, locked,
			     &key_item, 0, LOCKED_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t presence_fields[] = {
	CYAML_FIELD_BOOL_PTR("enabled", MAYBE, struct presence_conf, enabled),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t user_directory_fields[] = {
	CYAML_FIELD_BOOL_PTR("all_users", MAYBE, struct user_directory_conf, all_users),
	CYAML_FIELD_END,
};

void people_conf_complete(struct presence_conf *presence,
			  struct user_directory_conf *user_directory)
{
	conf_default_bool(&presence->enabled, true);
	conf_default_bool(&user_directory->all_users, false);
}

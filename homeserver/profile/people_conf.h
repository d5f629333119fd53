/* Sections of the configuration: who sees what of people, and what they may change. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

/* What is not in the file is 0, so the values count from the default. */
enum conf_look_up { CONF_LOOK_UP_EVERYBODY, CONF_LOOK_UP_USERS, CONF_LOOK_UP_VISIBLE };
enum conf_new_displayname { CONF_NEW_DISPLAYNAME_NONE, CONF_NEW_DISPLAYNAME_LOCALPART };

struct profiles_conf {
	int look_up; /* enum conf_look_up */
	int new_displayname; /* enum conf_new_displayname */
	char **locked; /* fields that users do not change */
	unsigned locked_count;
};

struct presence_conf {
	bool *enabled; /* NULL: it is */
};

struct user_directory_conf {
	bool *all_users; /* NULL: only those whom one can see */
};

/* What the file does not say. */
void people_conf_complete(struct presence_conf *presence,
			  struct user_directory_conf *user_directory);

extern const cyaml_schema_field_t profiles_fields[], presence_fields[], user_directory_fields[];

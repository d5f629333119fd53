/*
 * Sydent's configuration file: what of it must stay as it is, or old signatures and links in rooms
 * break. An option may stand in its section or in [DEFAULT]; versions before 2.7.0 wrote empty
 * defaults into the sections, so an empty option counts as none.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct mx_error;
struct sydent_conf;

/* -MX_INVALID_PARAM. */
int sydent_conf_load(const char *path, struct sydent_conf **ret_conf, struct mx_error *err);
/* From text; *ret_conf is to be freed. For sydent_conf_load() and tests. */
int sydent_conf_parse(const char *text, struct sydent_conf **ret_conf, struct mx_error *err);
void sydent_conf_free(struct sydent_conf *conf); /* wipes it; NULL does nothing */

/* What is set; NULL for what is not, or empty. option: as configparser has it, in small letters. */
const char *sydent_conf_get(const struct sydent_conf *conf, const char *section,
			    const char *option);

/* Our own configuration with the same meaning, as far as there is one. */
void sydent_conf_print(const struct sydent_conf *conf, FILE *out);

/* Puts its signing key in front of the key file's, so that it signs. *ret_added false: it did
 * already. Another key of the same id stays valid under another one. -MX_BAD_KEY, -MX_NOT_FOUND
 * if there is none in the configuration. */
int sydent_conf_key(const struct sydent_conf *conf, const char *key_file, bool *ret_added,
		    struct mx_error *err);

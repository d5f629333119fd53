/* The templates of the configuration over the built-in ones of packaging/templates. */
#pragma once

struct identity_conf;
struct mx_error;
struct template_set;

/* -MX_BAD_CONFIG with FILE:LINE. */
int message_templates_load(const struct identity_conf *conf, struct template_set **ret_set,
			   struct mx_error *err);
/* The same for a set in use, which stays as it is then. */
int message_templates_reload(struct template_set *set, const struct identity_conf *conf,
			     struct mx_error *err);
/* Only looks at them. */
int message_templates_check(const void *conf, struct mx_error *err);

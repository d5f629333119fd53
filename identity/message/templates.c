#include "identity/message/templates.h"

#include "identity/identity_conf.h"
#include "shared/mail/template.h"

#include <stddef.h>

#include "identity/message/templates.inc"

int message_templates_load(const struct identity_conf *conf, struct template_set **ret_set,
			   struct mx_error *err)
{
	const struct template_conf all = texts_conf_of(&conf->templates, built_in);

	return template_set_load(&all, ret_set, err);
}

int message_templates_reload(struct template_set *set, const struct identity_conf *conf,
			     struct mx_error *err)
{
	const struct template_conf all = texts_conf_of(&conf->templates, built_in);

	return template_set_reload(set, &all, err);
}

int message_templates_check(const void *conf, struct mx_error *err)
{
	struct template_set *set;
	int rc = message_templates_load(conf, &set, err);

	if (rc == 0)
		template_set_free(set);
	return rc;
}

#include "identity/message/templates.h"

#include "identity/identity_conf.h"
#include "shared/mail/template.h"

#include <stddef.h>

#include "identity/message/templates.inc"

int message_templates_load(const struct identity_conf *conf, struct template_set **ret_set,
			   struct mx_error *err)
{
	const struct template_conf all = {
		.directory = conf->templates.directory,
		.default_brand = conf->templates.brand,
		.default_language = conf->templates.language,
		.builtin = built_in,
	};

	return template_set_load(&all, ret_set, err);
}

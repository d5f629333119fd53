#include "homeserver/message/texts.h"

#include "homeserver/hs_conf.h"
#include "shared/mail/template.h"

#include <stddef.h>

#include "homeserver/message/templates.inc"

int texts_load(const struct hs_conf *conf, struct template_set **set, struct mx_error *err)
{
	const struct template_conf all = texts_conf_of(&conf->templates, built_in);

	return *set ? template_set_reload(*set, &all, err) : template_set_load(&all, set, err);
}

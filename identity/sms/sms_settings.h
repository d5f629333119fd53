/* A configuration in use: copied, its secret read, its templates taken apart. */
#pragma once

#include "identity/sms/sms_transport.h"

/* -MX_BAD_CONFIG, also for a secret that cannot be read. conf may be NULL: nothing is sent. */
int sms_settings_new(const struct sms_conf *conf, struct sms_settings **ret_settings,
		     struct mx_error *err);
struct sms_settings *sms_settings_ref(struct sms_settings *settings);
void sms_settings_unref(struct sms_settings *settings);

/* Whether the webhook's texts are templates. */
int sms_settings_check_templates(const struct sms_conf *conf, struct mx_error *err);

#include "homeserver/media/media_conf.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/daemon/conf_default.h"

#include <stddef.h>
#include <time.h>

#define UPLOAD_MB     50
#define UPLOAD_MB_MAX 65536
#define PENDING_HOURS 24
#define PENDING_MAX   32

#define UINT(member) CYAML_FIELD_UINT(#member, CYAML_FLAG_OPTIONAL, struct media_conf, member)

const cyaml_schema_field_t media_fields[] = {
	UINT(max_upload_mb),
	UINT(user_max_mb),
	UINT(user_max_files),
	UINT(pending_hours),
	UINT(pending_max),
	CYAML_FIELD_STRING_PTR("frozen_from", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct media_conf, frozen_from, 1, 10),
	CYAML_FIELD_END,
};

/* Midnight in UTC. */
static int read_day(const char *text, int64_t *ret_ms, struct mx_error *err)
{
	struct tm day = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &day);

	if (!end || *end)
		return mx_fail(err, MX_BAD_CONFIG,
			       "media.frozen_from: %s is no day such as 2024-09-01", text);
	*ret_ms = (int64_t)timegm(&day) * MX_SECOND_MS;
	return 0;
}

int media_conf_check(struct media_conf *conf, struct mx_error *err)
{
	conf_default_number(&conf->max_upload_mb, UPLOAD_MB);
	conf_default_number(&conf->pending_hours, PENDING_HOURS);
	conf_default_number(&conf->pending_max, PENDING_MAX);
	conf->frozen_ms = 0;
	if (conf->max_upload_mb > UPLOAD_MB_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "media.max_upload_mb is over %d", UPLOAD_MB_MAX);
	return conf->frozen_from ? read_day(conf->frozen_from, &conf->frozen_ms, err) : 0;
}

#include "homeserver/hs_conf.h"

#include "homeserver/event/room_version.h"
#include "shared/core/error.h"
#include "shared/daemon/conf_default.h"
#include "shared/daemon/conf_url.h"
#include "shared/id/server_name.h"

#define VALIDITY_HOURS 24

static int check_names(const struct hs_conf *conf, struct mx_error *err)
{
	if (!mx_server_name_valid(mx_slice(conf->server_name)))
		return mx_fail(err, MX_BAD_CONFIG, "server_name: %s is no Matrix server name",
			       conf->server_name);
	if (!conf->keys.signing_file)
		return mx_fail(err, MX_BAD_CONFIG, "keys.signing_file is missing");
	/* Spec: valid_until_ts counts at most 7 days ahead. */
	if (conf->keys.validity_hours > 168 || conf->keys.validity_hours == 1)
		return mx_fail(err, MX_BAD_CONFIG, "keys.validity_hours must be 2 to 168");
	return 0;
}

static int check_room_version(struct hs_conf *conf, struct mx_error *err)
{
	conf_default_text(&conf->default_room_version, ROOM_VERSION_DEFAULT);
	if (room_version_find(mx_slice(conf->default_room_version)))
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "default_room_version: %.100s is not known",
		       conf->default_room_version);
}

int hs_conf_check(void *conf_ptr, struct mx_error *err)
{
	struct hs_conf *conf = conf_ptr;
	int rc = check_names(conf, err);

	if (conf->keys.validity_hours == 0)
		conf->keys.validity_hours = VALIDITY_HOURS;
	if (conf->limits.requests.burst == 0)
		conf->limits.requests.burst = conf->limits.requests.per_second;
	if (rc == 0)
		rc = check_room_version(conf, err);
	if (rc == 0)
		rc = account_conf_check(conf, err);
	people_conf_complete(&conf->presence, &conf->user_directory);
	if (rc == 0)
		rc = conf_check_base_url("public_base_url", conf->public_base_url, err);
	if (rc == 0)
		rc = media_conf_check(&conf->media, err);
	if (rc == 0)
		rc = well_known_conf_check(&conf->well_known, err);
	if (rc == 0)
		rc = turn_conf_check(&conf->turn, err);
	return rc ? rc : contact_conf_check(conf, err);
}

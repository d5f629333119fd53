#include "homeserver/directory/remote.h"

#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/error.h"

/* Of an alias or a user id; also of room ids that name a server. */
static struct mx_slice server_of(const char *id)
{
	const char *colon = strchr(id, ':');

	return mx_slice(colon ? colon + 1 : "");
}

bool id_is_local(const struct hs *hs, const char *id)
{
	return mx_slice_is(server_of(id), hs->conf->server_name);
}

int remote_ask_server(const char *server, struct mx_error *err)
{
	return mx_fail(err, MX_REMOTE_FAILED, "The server %.200s could not be reached", server);
}

int remote_ask(const char *id, struct mx_error *err)
{
	return remote_ask_server(server_of(id).ptr, err);
}

int remote_enter(const char *room_id, const char *via, struct mx_error *err)
{
	if (via)
		return remote_ask_server(via, err);
	return mx_fail(err, MX_NOT_FOUND, "The room %.200s is not known here", room_id);
}

#include "homeserver/account/device.h"

#include "homeserver/account/device_db.h"
#include "homeserver/account/session.h"
#include "homeserver/call.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"

#define NEW_ID_LEN 10

int device_check_id(const char *id, struct mx_error *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > DEVICE_ID_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A device id has 1 to %d bytes",
			       DEVICE_ID_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] < ' ' || id[i] == '\x7f')
			return mx_fail(err, MX_INVALID_PARAM,
				       "A device id has no control characters");
	return 0;
}

int device_check_name(const char *name, struct mx_error *err)
{
	if (name && mx_utf8_count(mx_slice(name)) > DEVICE_NAME_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "A device's name has at most %d characters",
			       DEVICE_NAME_MAX);
	return 0;
}

int device_load(const struct hs_call *call, const char *user, const char *id,
		struct device *ret_device)
{
	return device_db_load(call, user, id, ret_device);
}

int device_list(const struct hs_call *call, const char *user, struct device_list *ret_list)
{
	return device_db_list(call, user, DEVICES_MAX, ret_list);
}

/* Capitals only: people compare them by eye. */
static const char *new_id(struct mx_arena *mem)
{
	char *id = mx_arena_alloc(mem, NEW_ID_LEN + 1);

	for (size_t i = 0; i < NEW_ID_LEN; i++)
		id[i] = (char)('A' + mx_random_below(26));
	id[NEW_ID_LEN] = '\0';
	return id;
}

static int check_room(const struct hs_call *call, const char *user, struct mx_error *err)
{
	struct device_list list;
	int rc = device_list(call, user, &list);

	if (rc == 0 && list.len >= DEVICES_MAX)
		rc = mx_fail(err, MX_RESOURCE_LIMIT, "This account has too many devices");
	return rc;
}

int device_open(const struct hs_call *call, const struct device *wanted, struct device *ret_device,
		struct mx_error *err)
{
	struct device device = *wanted;
	int rc = -MX_NOT_FOUND;

	if (wanted->id)
		rc = device_load(call, wanted->user, wanted->id, &device);
	if (rc == 0) {
		session_end(call, device.session);
		device.session = NULL;
	} else if (rc == -MX_NOT_FOUND) {
		rc = check_room(call, wanted->user, err);
		device.created_ms = call->now_ms;
		device.id = wanted->id ? wanted->id : new_id(call->mem);
	}
	if (rc == 0)
		*ret_device = device;
	return rc;
}

void device_put(const struct hs_call *call, const struct device *device)
{
	device_db_put(call, device);
}

int device_rename(const struct hs_call *call, const char *user, const char *id, const char *name,
		  struct mx_error *err)
{
	struct device device;
	int rc = device_load(call, user, id, &device);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "You have no such device");
	if (rc)
		return rc;
	rc = device_check_name(name, err);
	if (rc || !name)
		return rc;
	device.name = name;
	device_db_put(call, &device);
	return 0;
}

static void delete_one(const struct hs_call *call, const struct device *device)
{
	session_end(call, device->session);
	device_db_delete(call, device->user, device->id);
}

int device_delete(const struct hs_call *call, const char *user, const char *id)
{
	struct device device;
	int rc = device_load(call, user, id, &device);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	delete_one(call, &device);
	return 0;
}

int device_delete_all(const struct hs_call *call, const char *user, const char *keep)
{
	struct device_list list;
	int rc = device_list(call, user, &list);

	for (size_t i = 0; rc == 0 && i < list.len; i++)
		if (!streq(list.items[i].id, keep))
			delete_one(call, &list.items[i]);
	return rc;
}

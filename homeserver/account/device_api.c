/* Spec: client-server API, "Device Management". */
#include "homeserver/account/device.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

static json_t *show(const struct device *device)
{
	json_t *shown = json_pack("{s:s, s:s*, s:s*}", "device_id", device->id, "display_name",
				  device->name, "last_seen_ip", device->ip);

	if (device->seen_ms)
		json_object_set_new(shown, "last_seen_ts", json_integer(device->seen_ms));
	return shown;
}

static int get_devices(struct req *r)
{
	const struct hs_call call = call_of(r);
	json_t *shown = json_array();
	struct device_list list = { 0 };
	int rc = device_list(&call, r->user, &list);

	for (size_t i = 0; i < list.len; i++)
		json_array_append_new(shown, show(&list.items[i]));
	reply_json(r, json_pack("{s:o}", "devices", shown));
	return rc;
}

static int get_device(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct device device;
	int rc = device_load(&call, r->user, req_param(r, "deviceId"), &device);

	if (rc == 0)
		reply_json(r, show(&device));
	return rc == -MX_NOT_FOUND ? mx_fail(&r->err, MX_NOT_FOUND, "You have no such device") : rc;
}

static int put_device(struct req *r)
{
	const struct hs_call call = call_of(r);

	return device_rename(&call, r->user, req_param(r, "deviceId"),
			     jstr(r->body, "display_name"), &r->err);
}

static int delete_device(struct req *r)
{
	const struct hs_call call = call_of(r);

	uia_spend(&call, r);
	return device_delete(&call, r->user, req_param(r, "deviceId"));
}

static int post_delete_devices(struct req *r)
{
	const struct hs_call call = call_of(r);
	const json_t *devices = jarr(r->body, "devices");
	int rc = 0;

	uia_spend(&call, r);
	for (size_t i = 0; rc == 0 && i < json_array_size(devices); i++)
		rc = device_delete(&call, r->user, json_string_value(json_array_get(devices, i)));
	return rc;
}

#define DEVICES CLIENT_V3 "/devices"
#define DEVICE  DEVICES "/{deviceId}"
#define CHANGE  (ROUTE_CORS | ROUTE_UIA | ROUTE_SUSPENDED)

const struct route device_routes[] = {
	{ GET, DEVICES, get_devices, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ,
	  .txn = TXN_READ, .flags = ROUTE_CORS, .reply = "client/devices.reply" },
	{ GET, DEVICE, get_device, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_READ, .txn = TXN_READ,
	  .flags = ROUTE_CORS, .reply = "client/device.reply" },
	{ PUT, DEVICE, put_device, .auth = AUTH_USER_OR_GUEST, .limit = LIMIT_EDIT,
	  .txn = TXN_WRITE, .flags = ROUTE_CORS, .body = "client/device",
	  .reply = "client/empty.reply" },
	{ DELETE, DEVICE, delete_device, .auth = AUTH_USER, .limit = LIMIT_EDIT, .txn = TXN_WRITE,
	  .flags = CHANGE | ROUTE_OPTIONAL_BODY, .body = "client/device_delete",
	  .reply = "client/empty.reply" },
	{ POST, CLIENT_V3 "/delete_devices", post_delete_devices, .auth = AUTH_USER,
	  .limit = LIMIT_EDIT, .txn = TXN_WRITE, .flags = CHANGE, .body = "client/delete_devices",
	  .reply = "client/empty.reply" },
	{ 0 },
};

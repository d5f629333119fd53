/* device: (user, device) → name, when made, session, when and from where seen. */
#pragma once

#include "homeserver/account/device.h"

struct store_table;

extern const struct store_table device_table;

int device_db_load(const struct hs_call *call, const char *user, const char *id,
		   struct device *ret_device);
/* At most limit. */
int device_db_list(const struct hs_call *call, const char *user, size_t limit,
		   struct device_list *ret_list);
void device_db_put(const struct hs_call *call, const struct device *device);
void device_db_delete(const struct hs_call *call, const char *user, const char *id);

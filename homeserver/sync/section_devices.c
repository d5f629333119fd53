/* What /sync says of end-to-end encryption, as a server without it says it.
 * Spec: client-server API, "End-to-End Encryption", "Extensions to /sync". */
#include "homeserver/json_out.h"
#include "homeserver/sync/sync.h"

int section_devices(struct sync *sync)
{
	json_key(sync->out, "device_one_time_keys_count");
	mx_str_add_text(sync->out, "{}");
	json_key(sync->out, "device_unused_fallback_key_types");
	mx_str_add_text(sync->out, "[]");
	return 0;
}

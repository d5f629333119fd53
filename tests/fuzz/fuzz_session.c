/* Whose a token is: of any bytes. */
#include "homeserver/account/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice token = mx_slice_of(data, size), id = session_id_of(token);

	if (id.len == 0)
		return 0;
	if (size != SESSION_TOKEN_LEN || id.len != SESSION_ID_LEN)
		abort();
	for (size_t i = 0; i < id.len; i++)
		if (!strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			    id.ptr[i]) ||
		    !id.ptr[i])
			abort();
	return 0;
}

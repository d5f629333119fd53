/* The parts of an accepted id make up the id. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"

static void server_name_check(struct mx_slice text)
{
	struct mx_server_name name;
	mx_str_auto again = { 0 };
	bool literal;

	FUZZ_ASSERT(mx_server_name_valid(text) == mx_server_name_parse(text, &name));
	if (!mx_server_name_parse(text, &name))
		return;
	literal = name.kind == MX_HOST_IPV6;
	mx_str_addf(&again, "%s%.*s%s", literal ? "[" : "", MX_SLICE_ARG(name.host),
		    literal ? "]" : "");
	if (name.port)
		mx_str_addf(&again, ":%u", name.port);
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&again), text));
}

static void parts_check(struct mx_slice text, const struct mx_id *id)
{
	FUZZ_ASSERT(text.len <= MX_ID_MAX && mx_utf8_valid(text));
	FUZZ_ASSERT(!memchr(text.ptr, '\0', text.len));
	FUZZ_ASSERT(id->localpart.ptr == text.ptr + 1);
	if (!id->server.ptr) {
		FUZZ_ASSERT(id->localpart.len + 1 == text.len);
		return;
	}
	FUZZ_ASSERT(mx_server_name_valid(id->server));
	FUZZ_ASSERT(id->server.ptr == id->localpart.ptr + id->localpart.len + 1);
	FUZZ_ASSERT(id->server.ptr + id->server.len == text.ptr + text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice text = mx_slice_of(data, size);
	struct mx_key_id key;
	struct mx_id id;

	server_name_check(text);
	if (mx_user_id_parse(text, true, &id))
		FUZZ_ASSERT(mx_user_id_parse(text, false, &id));
	if (mx_user_id_parse(text, false, &id) || mx_room_id_parse(text, &id) ||
	    mx_event_id_parse(text, &id) || mx_alias_parse(text, &id))
		parts_check(text, &id);
	if (mx_key_id_parse(text, &key))
		FUZZ_ASSERT(key.algorithm.len + key.version.len + 1 == text.len &&
			    (mx_key_id_is_strict(&key) || key.version.len));
	return 0;
}

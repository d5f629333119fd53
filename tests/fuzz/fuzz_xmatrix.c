/* X-Matrix: the first line is a header, the rest a body. What is accepted means the same when it
 * is written again; what is signed is canonical. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/crypto/ed25519.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/canonical.h"
#include "shared/keys/xmatrix.h"

static void add_param(struct mx_str *header, const char *name, struct mx_slice value)
{
	mx_str_addf(header, ", %s=\"", name);
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"' || value.ptr[i] == '\\')
			mx_str_add_char(header, '\\');
		mx_str_add_char(header, value.ptr[i]);
	}
	mx_str_add_char(header, '"');
}

static void parse_again(const struct xmatrix *parsed, struct mx_arena *mem)
{
	mx_str_auto header = { 0 };
	struct xmatrix again;

	mx_str_add_text(&header, "x-matrix");
	mx_str_add_char(&header, ' ');
	add_param(&header, "SIG", parsed->sig);
	add_param(&header, "key", parsed->key);
	add_param(&header, "origin", parsed->origin);
	if (parsed->destination.ptr)
		add_param(&header, "destination", parsed->destination);
	FUZZ_ASSERT(xmatrix_parse(mx_str_slice(&header), mem, &again, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(parsed->origin, again.origin));
	FUZZ_ASSERT(mx_slice_eq(parsed->key, again.key));
	FUZZ_ASSERT(mx_slice_eq(parsed->sig, again.sig));
	FUZZ_ASSERT(mx_slice_eq(parsed->destination, again.destination));
}

static void check_header(struct mx_slice header, struct mx_arena *mem)
{
	struct mx_key_id key_id;
	struct xmatrix parsed;

	if (xmatrix_parse(header, mem, &parsed, NULL) != 0)
		return;
	FUZZ_ASSERT(mx_server_name_valid(parsed.origin));
	FUZZ_ASSERT(!parsed.destination.ptr || mx_server_name_valid(parsed.destination));
	FUZZ_ASSERT(mx_key_id_parse(parsed.key, &key_id));
	parse_again(&parsed, mem);
}

static void check_body(struct mx_slice body, struct mx_arena *mem)
{
	const struct xmatrix_request request = {
		.method = "PUT",
		.target = "/_matrix/federation/v1/send/1?\"",
		.origin = MX_SLICE("a.example"),
		.destination = MX_SLICE("b.example"),
		.content = body,
	};
	const struct mx_json_limits limits = { .bytes = 1u << 24, .nodes = 1u << 20, .depth = 101 };
	mx_str_auto message = { 0 };
	mx_str_auto canonical = { 0 };
	struct mx_json_doc doc;

	if (xmatrix_signed_bytes(&request, mem, &message, NULL) != 0) {
		FUZZ_ASSERT(message.len == 0);
		return;
	}
	FUZZ_ASSERT(mx_json_scan(mx_str_slice(&message), &limits, mem, &doc, NULL) == 0);
	FUZZ_ASSERT(mx_canonical(&doc, 0, NULL, &canonical, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&message), mx_str_slice(&canonical)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice rest = mx_slice_of(size ? (const char *)data : "", size);
	struct mx_slice header;

	mx_split_next(&rest, '\n', &header);
	check_header(header, mem);
	if (rest.ptr)
		check_body(rest, mem);
	return 0;
}

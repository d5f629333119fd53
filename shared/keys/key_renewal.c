#include "shared/keys/key_renewal.h"

#include "shared/core/arena.h"
#include "shared/crypto/sha256.h"
#include "shared/json/canonical.h"

#include <inttypes.h>

static const struct mx_json_limits object_limits = {
	.bytes = 2 * KEY_OBJECT_MAX, /* canonical escapes may be longer than what came */
	.nodes = 100000,
	.depth = 100,
	.no_reals = true,
};

int key_content_digest(const struct mx_json_doc *doc, uint8_t ret_digest[KEY_DIGEST_LEN],
		       struct mx_error *err)
{
	static const char *const without[] = { "signatures", "unsigned", "valid_until_ts", NULL };
	mx_str_auto content = { 0 };
	int rc = mx_canonical(doc, 0, without, &content, err);

	if (rc)
		return rc;
	mx_sha256(mx_str_slice(&content), ret_digest);
	return 0;
}

static bool scan_object(struct mx_slice text, struct mx_arena *mem, struct mx_json_doc *ret_doc)
{
	return mx_json_scan(text, &object_limits, mem, ret_doc, NULL) == 0 &&
	       mx_json_type(ret_doc, 0) == MX_JSON_OBJECT;
}

bool key_object_split(struct mx_slice bytes, struct mx_arena *mem, struct key_db_renewal *ret_parts)
{
	struct key_db_renewal parts = { 0 };
	struct mx_json_doc doc;
	uint32_t node;

	if (!scan_object(bytes, mem, &doc) ||
	    !mx_json_i64(&doc, mx_json_member(&doc, 0, "valid_until_ts"), &parts.valid_until_ts))
		return false;
	node = mx_json_member(&doc, 0, "signatures");
	if (node)
		parts.signatures = mx_json_raw(&doc, node);
	node = mx_json_member(&doc, 0, "unsigned");
	if (node)
		parts.unsigned_json = mx_json_raw(&doc, node);
	*ret_parts = parts;
	return true;
}

struct member {
	struct mx_slice name, quoted, json;
};

struct members {
	struct member *items;
	size_t len;
};

static void add_part(struct members *members, struct mx_slice quoted, struct mx_slice json)
{
	struct mx_slice name = mx_slice_of(quoted.ptr + 1, quoted.len - 2);

	if (json.len)
		members->items[members->len++] = (struct member){ name, quoted, json };
}

static bool is_part(struct mx_slice name)
{
	return mx_slice_is(name, "signatures") || mx_slice_is(name, "unsigned") ||
	       mx_slice_is(name, "valid_until_ts");
}

static void add_content(struct members *members, const struct mx_json_doc *doc,
			struct mx_arena *mem)
{
	for (uint32_t i = mx_json_first(doc, 0); i < mx_json_end(doc, 0);) {
		uint32_t value = mx_json_next(doc, i);
		struct member member = { mx_json_string(doc, i, mem), mx_json_raw(doc, i),
					 mx_json_raw(doc, value) };

		if (!is_part(member.name))
			members->items[members->len++] = member;
		i = mx_json_next(doc, value);
	}
}

static int compare_members(const void *a, const void *b)
{
	return mx_slice_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void write_members(const struct members *members, struct mx_str *out)
{
	mx_str_add_char(out, '{');
	for (size_t i = 0; i < members->len; i++) {
		if (i)
			mx_str_add_char(out, ',');
		mx_str_add_slice(out, members->items[i].quoted);
		mx_str_add_char(out, ':');
		mx_str_add_slice(out, members->items[i].json);
	}
	mx_str_add_char(out, '}');
}

bool key_object_join(struct mx_slice bytes, const struct key_db_renewal *parts,
		     struct mx_arena *mem, struct mx_str *out)
{
	struct members members = { 0 };
	struct mx_json_doc doc;

	if (!scan_object(bytes, mem, &doc))
		return false;
	members.items = mx_arena_calloc(mem, doc.nodes[0].count + 3, sizeof(*members.items));
	add_content(&members, &doc, mem);
	add_part(&members, MX_SLICE("\"signatures\""), parts->signatures);
	add_part(&members, MX_SLICE("\"unsigned\""), parts->unsigned_json);
	add_part(&members, MX_SLICE("\"valid_until_ts\""),
		 mx_slice(mx_arena_strf(mem, "%" PRId64, parts->valid_until_ts)));
	qsort(members.items, members.len, sizeof(*members.items), compare_members);
	write_members(&members, out);
	return true;
}

size_t key_signatures_count(struct mx_slice signatures, struct mx_slice server,
			    struct mx_arena *mem)
{
	struct mx_json_doc doc;
	uint32_t node;

	if (!scan_object(signatures, mem, &doc))
		return 0;
	node = mx_json_member(&doc, 0, mx_arena_strndup(mem, server.ptr, server.len));
	return node && mx_json_type(&doc, node) == MX_JSON_OBJECT ? doc.nodes[node].count : 0;
}

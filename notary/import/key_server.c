#include "notary/import/import_source.h"
#include "notary/import/postgres.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

/* One row a key or signature, a server's rows together; signatures have kind 's'. */
#define SELECT_PARTS                                                                                \
	"SELECT s.server_name::text, s.valid_until_ts::text, "                                      \
	"coalesce(s.nonstandard_json::text, '{}'), p.kind, p.key_id, p.value, p.expires_ts::text "  \
	"FROM remote_servers s JOIN ("                                                              \
	"SELECT server_name, 'k' AS kind, key_id::text, public_key_b64::text AS value, expires_ts " \
	"FROM remote_keys UNION ALL "                                                               \
	"SELECT server_name, 's', key_id::text, signature_b64::text, 0 FROM remote_signatures"      \
	") p ON p.server_name = s.server_name ORDER BY s.server_name, p.kind, p.key_id"

enum part_column { SERVER, VALID_UNTIL, NONSTANDARD, KIND, KEY_ID, VALUE, EXPIRES };

struct assembly {
	const struct import_visitor *visitor;
	char *server; /* whose object is being put together; NULL = none yet */
	json_t *object;
};

static json_t *member_object(json_t *object, const char *key)
{
	if (!jobj(object, key))
		json_object_set_new(object, key, json_object());
	return jobj(object, key);
}

static int deliver(struct assembly *assembly, struct mx_error *err)
{
	mx_str_auto text = { 0 };
	int rc = 0;

	if (!assembly->server)
		return 0;
	/* What cannot be written canonically was never signed: the daemon lists it as rejected. */
	if (mx_canonical_json(assembly->object, NULL, &text, NULL))
		mx_str_add_text(&text, "{}");
	rc = assembly->visitor->visit(assembly->visitor->ctx, mx_slice(assembly->server),
				      mx_str_slice(&text), err);
	mx_free(mx_steal(&assembly->server));
	json_decref(assembly->object);
	assembly->object = NULL;
	return rc;
}

static void begin(struct assembly *assembly, const struct mx_slice *columns)
{
	mx_arena_auto *mem = mx_arena_new(0);
	int64_t valid_until_ts = 0;

	mx_parse_i64(columns[VALID_UNTIL], &valid_until_ts);
	if (mx_json_parse(columns[NONSTANDARD], &mx_json_default_limits, mem, &assembly->object,
			  NULL) ||
	    !json_is_object(assembly->object)) {
		json_decref(assembly->object);
		assembly->object = json_object();
	}
	assembly->server = mx_strndup(columns[SERVER].ptr, columns[SERVER].len);
	json_object_set_new(assembly->object, "server_name", json_string(assembly->server));
	json_object_set_new(assembly->object, "valid_until_ts", json_integer(valid_until_ts));
	json_object_set_new(assembly->object, "verify_keys", json_object());
	json_object_set_new(assembly->object, "old_verify_keys", json_object());
}

static void add_key(struct assembly *assembly, const struct mx_slice *columns)
{
	json_t *key = json_pack("{s:s%}", "key", columns[VALUE].ptr, columns[VALUE].len);
	int64_t expires_ts = 0;

	mx_parse_i64(columns[EXPIRES], &expires_ts);
	if (expires_ts)
		json_object_set_new(key, "expired_ts", json_integer(expires_ts));
	json_object_setn_new_nocheck(
		member_object(assembly->object, expires_ts ? "old_verify_keys" : "verify_keys"),
		columns[KEY_ID].ptr, columns[KEY_ID].len, key);
}

static void add_signature(struct assembly *assembly, const struct mx_slice *columns)
{
	json_t *signatures = member_object(assembly->object, "signatures");

	json_object_setn_new_nocheck(member_object(signatures, assembly->server),
				     columns[KEY_ID].ptr, columns[KEY_ID].len,
				     json_stringn(columns[VALUE].ptr, columns[VALUE].len));
}

static int visit_part(void *ctx, const struct mx_slice *columns, struct mx_error *err)
{
	struct assembly *assembly = ctx;
	int rc = 0;

	if (assembly->server && !mx_slice_is(columns[SERVER], assembly->server))
		rc = deliver(assembly, err);
	if (rc)
		return rc;
	if (!assembly->server)
		begin(assembly, columns);
	if (mx_slice_is(columns[KIND], "k"))
		add_key(assembly, columns);
	else
		add_signature(assembly, columns);
	return 0;
}

int import_key_server(const char *source, const struct import_visitor *visitor,
		      struct mx_error *err)
{
	struct assembly assembly = { .visitor = visitor };
	int rc;

	if (!postgres_is_address(source))
		return mx_fail(err, MX_INVALID_PARAM, "%s is no postgresql:// address", source);
	rc = postgres_each(source, SELECT_PARTS, visit_part, &assembly, err);
	if (rc == 0)
		rc = deliver(&assembly, err);
	mx_free(assembly.server);
	json_decref(assembly.object);
	return rc;
}

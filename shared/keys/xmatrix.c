#include "shared/keys/xmatrix.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/canonical.h"
#include "shared/json/scan.h"
#include "shared/keys/key_object.h"

#include <ctype.h>
#include <strings.h>

#define SCHEME     "X-Matrix"
#define HEADER_MAX 4096 /* bytes of one header */
#define PARAMS_MAX 16
#define KEY_ID_MAX 255

/* Bodies that servers sign, at most; whoever received one has bounded it more tightly. */
static const struct mx_json_limits content_limits = {
	.bytes = MX_CANONICAL_MAX,
	.nodes = 1000000,
	.depth = 100,
};

struct parser {
	const char *at, *end;
	struct mx_arena *mem;
	struct mx_error *err;
	struct mx_slice names[PARAMS_MAX]; /* of all parameters so far */
	size_t names_len;
};

static int malformed(const struct parser *parser, const char *what)
{
	return mx_fail(parser->err, MX_BAD_XMATRIX, "Malformed Authorization header: %s", what);
}

/* RFC 9110, 5.6.2. */
static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Spec: colons without quotes are to be understood; in the field are also the slashes and equal
 * signs of base64. So everything that does not end a value. */
static bool is_unquoted(char c)
{
	return c > ' ' && c <= '~' && c != '"' && c != ',' && c != '\\';
}

static bool is_at(const struct parser *parser, char c)
{
	return parser->at < parser->end && *parser->at == c;
}

static void skip_blanks(struct parser *parser)
{
	while (is_at(parser, ' ') || is_at(parser, '\t'))
		parser->at++;
}

/* RFC 9110, 5.6.1.2: empty items of a list are to be ignored. */
static void skip_separators(struct parser *parser)
{
	while (is_at(parser, ' ') || is_at(parser, '\t') || is_at(parser, ','))
		parser->at++;
}

static struct mx_slice run_of(struct parser *parser, bool (*belongs)(char))
{
	const char *from = parser->at;

	while (parser->at < parser->end && belongs(*parser->at))
		parser->at++;
	return mx_slice_of(from, (size_t)(parser->at - from));
}

/* RFC 9110, 5.6.4; at the character behind the opening quote. */
static int parse_quoted(struct parser *parser, struct mx_slice *ret_value)
{
	char *text = mx_arena_alloc(parser->mem, (size_t)(parser->end - parser->at) + 1);
	size_t len = 0;

	for (; parser->at < parser->end; parser->at++) {
		unsigned char c = (unsigned char)*parser->at;

		if (c == '"') {
			parser->at++;
			*ret_value = mx_slice_of(text, len);
			return 0;
		}
		if (c == '\\') {
			if (++parser->at == parser->end)
				break;
			c = (unsigned char)*parser->at;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return malformed(parser, "control characters in a value");
		text[len++] = (char)c;
	}
	return malformed(parser, "a quote is not closed");
}

static int parse_value(struct parser *parser, struct mx_slice *ret_value)
{
	if (is_at(parser, '"')) {
		parser->at++;
		return parse_quoted(parser, ret_value);
	}
	*ret_value = run_of(parser, is_unquoted);
	return ret_value->len ? 0 : malformed(parser, "a value is missing");
}

static bool same_name(struct mx_slice a, struct mx_slice b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static int note_name(struct parser *parser, struct mx_slice name)
{
	for (size_t i = 0; i < parser->names_len; i++) {
		if (same_name(parser->names[i], name))
			return malformed(parser, "a parameter is there twice");
	}
	if (parser->names_len == PARAMS_MAX)
		return malformed(parser, "too many parameters");
	parser->names[parser->names_len++] = name;
	return 0;
}

static int parse_param(struct parser *parser, struct mx_slice *ret_name, struct mx_slice *ret_value)
{
	int rc;

	*ret_name = run_of(parser, is_token);
	if (ret_name->len == 0)
		return malformed(parser, "a parameter has no name");
	skip_blanks(parser);
	if (!is_at(parser, '='))
		return malformed(parser, "a parameter has no value");
	parser->at++;
	skip_blanks(parser);
	rc = parse_value(parser, ret_value);
	if (rc != 0)
		return rc;
	skip_blanks(parser);
	if (parser->at < parser->end && !is_at(parser, ','))
		return malformed(parser, "a comma is missing");
	return note_name(parser, *ret_name);
}

static void keep_param(struct xmatrix *parsed, struct mx_slice name, struct mx_slice value)
{
	if (same_name(name, MX_SLICE("origin")))
		parsed->origin = value;
	else if (same_name(name, MX_SLICE("destination")))
		parsed->destination = value;
	else if (same_name(name, MX_SLICE("key")))
		parsed->key = value;
	else if (same_name(name, MX_SLICE("sig")))
		parsed->sig = value;
}

/* RFC 9110, 11.4: the scheme in any case, then at least one space. */
static int parse_scheme(struct parser *parser)
{
	skip_blanks(parser);
	if (!same_name(run_of(parser, is_token), MX_SLICE(SCHEME)) ||
	    (parser->at < parser->end && !is_at(parser, ' ') && !is_at(parser, '\t')))
		return mx_fail(parser->err, MX_UNAUTHORIZED,
			       "The request is not authorized by " SCHEME);
	return 0;
}

/* What can stand in a header, in logs and in questions to notaries without being escaped. */
static bool key_id_ok(struct mx_slice id)
{
	struct mx_key_id parts;

	for (size_t i = 0; i < id.len; i++) {
		if (!is_unquoted(id.ptr[i]))
			return false;
	}
	return id.len <= KEY_ID_MAX && mx_key_id_parse(id, &parts);
}

static int check_values(const struct parser *parser, const struct xmatrix *parsed)
{
	uint8_t signature[MX_ED25519_SIG_LEN];

	if (!parsed->origin.ptr || !parsed->key.ptr || !parsed->sig.ptr)
		return malformed(parser, "origin, key or sig is missing");
	if (!mx_server_name_valid(parsed->origin))
		return malformed(parser, "origin is no server name");
	if (parsed->destination.ptr && !mx_server_name_valid(parsed->destination))
		return malformed(parser, "destination is no server name");
	if (!key_id_ok(parsed->key))
		return malformed(parser, "key is no key id");
	if (!mx_base64_decode_exact(parsed->sig, signature, sizeof(signature)))
		return mx_fail(parser->err, MX_UNAUTHORIZED, "sig is no Ed25519 signature");
	return 0;
}

int xmatrix_parse(struct mx_slice header, struct mx_arena *mem, struct xmatrix *ret_parsed,
		  struct mx_error *err)
{
	struct parser parser = { header.ptr, header.ptr + header.len, .mem = mem, .err = err };
	struct xmatrix parsed = { 0 };
	int rc;

	if (header.len > HEADER_MAX)
		return malformed(&parser, "it is too long");
	rc = parse_scheme(&parser);
	if (rc != 0)
		return rc;
	for (skip_separators(&parser); parser.at < parser.end; skip_separators(&parser)) {
		struct mx_slice name = { 0 }, value = { 0 };

		rc = parse_param(&parser, &name, &value);
		if (rc != 0)
			return rc;
		keep_param(&parsed, name, value);
	}
	rc = check_values(&parser, &parsed);
	if (rc != 0)
		return rc;
	parsed.origin = mx_arena_slice(mem, parsed.origin);
	if (parsed.destination.ptr)
		parsed.destination = mx_arena_slice(mem, parsed.destination);
	parsed.key = mx_arena_slice(mem, parsed.key);
	parsed.sig = mx_arena_slice(mem, parsed.sig);
	*ret_parsed = parsed;
	return 0;
}

static void add_string(struct mx_str *out, const char *name, struct mx_slice value)
{
	mx_str_addf(out, "\"%s\":", name);
	mx_canonical_string(out, value);
}

static int add_content(struct mx_slice content, struct mx_arena *mem, struct mx_str *out,
		       struct mx_error *err)
{
	struct mx_json_doc doc;

	if (mx_json_scan(content, &content_limits, mem, &doc, NULL) != 0)
		return mx_fail(err, MX_BAD_JSON, "The content is not JSON that can be signed");
	mx_str_add_text(out, "\"content\":");
	if (mx_canonical(&doc, 0, NULL, out, err) != 0)
		return -MX_BAD_JSON;
	mx_str_add_char(out, ',');
	return 0;
}

/* The members are in their canonical order; so is destination_is. */
int xmatrix_signed_bytes(const struct xmatrix_request *request, struct mx_arena *mem,
			 struct mx_str *out, struct mx_error *err)
{
	const char *destination = request->destination_name;
	const size_t before = out->len;

	mx_str_add_char(out, '{');
	if (request->content.len) {
		int rc = add_content(request->content, mem, out, err);

		if (rc != 0) {
			out->len = before;
			return rc;
		}
	}
	add_string(out, destination ? destination : "destination", request->destination);
	mx_str_add_char(out, ',');
	add_string(out, "method", mx_slice(request->method));
	mx_str_add_char(out, ',');
	add_string(out, "origin", request->origin);
	mx_str_add_char(out, ',');
	add_string(out, "uri", mx_slice(request->target));
	mx_str_add_char(out, '}');
	return 0;
}

int xmatrix_build(const struct xmatrix_request *request, const struct mx_signing_key *key,
		  struct mx_arena *mem, struct mx_str *out, struct mx_error *err)
{
	uint8_t signature[MX_ED25519_SIG_LEN];
	mx_str_auto message = { 0 };
	int rc = xmatrix_signed_bytes(request, mem, &message, err);

	if (rc != 0)
		return rc;
	mx_signing_key_sign(key, mx_str_slice(&message), signature);
	mx_str_addf(out, SCHEME " origin=\"%.*s\",destination=\"%.*s\",key=\"%s\",sig=\"",
		    MX_SLICE_ARG(request->origin), MX_SLICE_ARG(request->destination),
		    mx_signing_key_id(key));
	mx_base64_add(out, signature, sizeof(signature));
	mx_str_add_char(out, '"');
	return 0;
}

static bool is_for(const struct xmatrix *parsed, const struct xmatrix_request *request)
{
	return mx_slice_eq(parsed->origin, request->origin) &&
	       (!parsed->destination.ptr || mx_slice_eq(parsed->destination, request->destination));
}

static bool is_signed(const struct xmatrix *parsed, const struct xmatrix_request *request,
		      const uint8_t public_key[32], struct mx_arena *mem)
{
	uint8_t signature[MX_ED25519_SIG_LEN];
	mx_str_auto message = { 0 };
	struct mx_key_id key_id;

	return mx_key_id_parse(parsed->key, &key_id) && mx_slice_is(key_id.algorithm, "ed25519") &&
	       !key_is_compromised(public_key) &&
	       mx_base64_decode_exact(parsed->sig, signature, sizeof(signature)) &&
	       xmatrix_signed_bytes(request, mem, &message, NULL) == 0 &&
	       mx_ed25519_verify(public_key, mx_str_slice(&message), signature);
}

int xmatrix_verify(const struct xmatrix *parsed, const struct xmatrix_request *request,
		   const uint8_t public_key[32], struct mx_arena *mem, struct mx_error *err)
{
	if (!is_for(parsed, request))
		return mx_fail(err, MX_UNAUTHORIZED,
			       "The request is signed by or for another server");
	if (!is_signed(parsed, request, public_key, mem))
		return mx_fail(err, MX_UNAUTHORIZED, "The signature of the request is wrong");
	return 0;
}

/* X-Matrix request authentication: parse, build, verify. Spec: server-server API, "Request
 * Authentication"; header grammar by RFC 9110, 11.4. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <jansson.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;
struct mx_signing_key;

struct xmatrix {
	struct mx_slice origin, destination, key, sig; /* destination may be absent: ptr NULL */
};

/* `X-Matrix origin="…",key=…`: any order, blanks, quoted pairs, unquoted values with colons,
 * unknown parameters ignored, names in any case. -MX_BAD_XMATRIX if malformed, a parameter is
 * twice there, or origin, key or sig is missing, or a name or key id is not of its grammar;
 * -MX_UNAUTHORIZED if the scheme is another one or sig is not 64 bytes in base64. Values are in
 * mem. */
int xmatrix_parse(struct mx_slice header, struct mx_arena *mem, struct xmatrix *ret_parsed,
		  struct mx_error *err);

struct xmatrix_request {
	const char *method; /* upper case */
	const char *target; /* raw path and query, as sent */
	struct mx_slice origin, destination;
	struct mx_slice content; /* the JSON body, empty = none */
	const char *destination_name; /* "destination"; the identity service also meets
					 "destination_is" */
};

/* Appends the canonical JSON that is signed. -MX_BAD_JSON if content is not signable JSON. */
int xmatrix_signed_bytes(const struct xmatrix_request *request, struct mx_arena *mem,
			 struct mx_str *out, struct mx_error *err);

/* Appends "X-Matrix origin=…,destination=…,key=…,sig=…" (the value of the header). */
int xmatrix_build(const struct xmatrix_request *request, const struct mx_signing_key *key,
		  struct mx_arena *mem, struct mx_str *out, struct mx_error *err);

/* 0 if parsed->sig is public_key's signature of the request; -MX_UNAUTHORIZED. */
int xmatrix_verify(const struct xmatrix *parsed, const struct xmatrix_request *request,
		   const uint8_t public_key[32], struct mx_arena *mem, struct mx_error *err);

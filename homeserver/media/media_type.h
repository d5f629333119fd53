/* What clients say of their files, as far as it may stand in headers of ours.
 * Spec: client-server API, "Serving inline content". */
#pragma once

#include <stdbool.h>

struct mx_arena;

#define MEDIA_TYPE_UNKNOWN "application/octet-stream"

/* A media type with its parameters, or MEDIA_TYPE_UNKNOWN for anything else, NULL too. */
const char *media_type_clean(const char *type, struct mx_arena *mem);

/* Only the last part of a path; no controls, nothing that changes the direction of writing, at most
 * 255 bytes. "" for what has no name left, and for NULL. */
const char *media_name_clean(const char *name, struct mx_arena *mem);

/* Whether browsers may show it, because they do not run it. */
bool media_type_is_inline(const char *type);
/* Pictures that every client can show. */
bool media_type_is_picture(const char *type);

/* The value of a Content-Disposition header. RFC 6266, RFC 8187. */
const char *media_disposition(const char *type, const char *name, struct mx_arena *mem);

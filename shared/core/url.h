/* Percent-encoding. RFC 3986, 2.1. */
#pragma once

#include "shared/core/str.h"

/* Appends text with everything but letters, digits and "-._~" encoded: good for a path segment
 * and for a query value. */
void mx_url_add(struct mx_str *out, struct mx_slice text);

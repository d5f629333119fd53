/* What an X.509 certificate says. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

/* Whether the certificate (DER) is for the name: it is a DNS name of it, or its common name. As
 * they are written, but for the case; no wildcards. */
bool mx_certificate_names(struct mx_slice der, const char *name);

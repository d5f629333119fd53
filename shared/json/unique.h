/* Whether the keys of an object differ. */
#pragma once

#include "shared/json/scan.h"

/* Compares decoded keys; time is linear in their bytes, whoever chose them. */
bool mx_json_keys_unique(const struct mx_json_doc *doc, uint32_t object);

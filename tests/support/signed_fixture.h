/* Keys and signed objects of tests, from what scenarios say. */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"
#include "tests/support/scenario.h"

struct mx_signing_key;

/* seed: base64 of 32 bytes. Anything else fails the test. */
struct mx_signing_key *signed_fixture_key(const char *id, struct mx_slice seed);

/* The 32 bytes of a public key or another base64 text. */
void signed_fixture_bytes(struct mx_slice base64, uint8_t ret_bytes[32]);

/*
 * The canonical text of `object` (JSON) with the signatures that the array `sign` of the
 * scenario asks for: { "server", "key", "seed" }. In the scenario's memory.
 */
struct mx_slice signed_fixture_object(const struct scenario *scenario, struct mx_slice object);

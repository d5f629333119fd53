/* Packed values: a version byte, then fields in a fixed order. Readers of version n skip what a
 * later writer appended and take defaults for what an earlier one lacked. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;

void record_begin(struct mx_str *out, uint8_t version);
void record_put_u64(struct mx_str *out, uint64_t value); /* variable length */
void record_put_i64(struct mx_str *out, int64_t value);
void record_put_bytes(struct mx_str *out, struct mx_slice bytes); /* length first */

/* Eight bytes that the commit fills in; their place is returned, for store_txn_put_stamped(). */
size_t record_put_stamp(struct mx_str *out);
/* The same of one that is known: a row that is written again and keeps it. */
void record_put_known_stamp(struct mx_str *out, uint64_t stamp);

/* Errors stick: read all fields, then ask record_ok() once. */
struct record_reader {
	struct mx_slice rest;
	uint8_t version;
	bool broken;
};

struct record_reader record_open(struct mx_slice value);
uint64_t record_u64(struct record_reader *reader); /* 0 past the end */
int64_t record_i64(struct record_reader *reader);
uint64_t record_stamp(struct record_reader *reader);
struct mx_slice record_bytes(struct record_reader *reader); /* borrowed; empty past the end */
const char *record_text(struct record_reader *reader, struct mx_arena *mem); /* a copy; "" */
bool record_more(const struct record_reader *reader);
bool record_ok(const struct record_reader *reader);

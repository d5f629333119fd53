#include "shared/store/record.h"

#include "shared/core/arena.h"

#define VARINT_MAX 10 /* bytes of seven bits for 64 */
#define STAMP_LEN  8

void record_begin(struct mx_str *out, uint8_t version)
{
	mx_str_add_char(out, (char)version);
}

void record_put_u64(struct mx_str *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		mx_str_add_char(out, (char)(value | 0x80));
	mx_str_add_char(out, (char)value);
}

/* Small negative numbers stay short: 0, -1, 1, -2, … become 0, 1, 2, 3, … */
void record_put_i64(struct mx_str *out, int64_t value)
{
	uint64_t sign = value < 0 ? UINT64_MAX : 0;

	record_put_u64(out, (uint64_t)value << 1 ^ sign);
}

void record_put_bytes(struct mx_str *out, struct mx_slice bytes)
{
	record_put_u64(out, bytes.len);
	mx_str_add_slice(out, bytes);
}

void record_put_known_stamp(struct mx_str *out, uint64_t stamp)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		mx_str_add_char(out, (char)(stamp >> shift));
}

size_t record_put_stamp(struct mx_str *out)
{
	size_t at = out->len;

	record_put_known_stamp(out, 0);
	return at;
}

struct record_reader record_open(struct mx_slice value)
{
	struct record_reader reader = { .rest = value };

	if (value.len == 0) {
		reader.broken = true;
		return reader;
	}
	reader.version = (uint8_t)value.ptr[0];
	reader.rest = mx_slice_of(value.ptr + 1, value.len - 1);
	return reader;
}

static uint64_t reader_break(struct record_reader *reader)
{
	reader->broken = true;
	reader->rest.len = 0;
	return 0;
}

uint64_t record_u64(struct record_reader *reader)
{
	uint64_t value = 0;

	if (!record_more(reader))
		return 0;
	for (unsigned i = 0; i < VARINT_MAX && i < reader->rest.len; i++) {
		uint8_t byte = (uint8_t)reader->rest.ptr[i];

		if (i == VARINT_MAX - 1 && byte > 1)
			break; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7F) << (7 * i);
		if (byte & 0x80)
			continue;
		reader->rest = mx_slice_of(reader->rest.ptr + i + 1, reader->rest.len - i - 1);
		return value;
	}
	return reader_break(reader);
}

int64_t record_i64(struct record_reader *reader)
{
	uint64_t value = record_u64(reader);

	return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

uint64_t record_stamp(struct record_reader *reader)
{
	uint64_t stamp = 0;

	if (!record_more(reader))
		return 0;
	if (reader->rest.len < STAMP_LEN)
		return reader_break(reader);
	for (size_t i = 0; i < STAMP_LEN; i++)
		stamp = stamp << 8 | (uint8_t)reader->rest.ptr[i];
	reader->rest = mx_slice_of(reader->rest.ptr + STAMP_LEN, reader->rest.len - STAMP_LEN);
	return stamp;
}

struct mx_slice record_bytes(struct record_reader *reader)
{
	struct mx_slice bytes = MX_SLICE("");
	uint64_t len = record_u64(reader);

	if (len > reader->rest.len) {
		reader_break(reader);
		return bytes;
	}
	if (len == 0)
		return bytes;
	bytes = mx_slice_of(reader->rest.ptr, (size_t)len);
	reader->rest = mx_slice_of(bytes.ptr + len, reader->rest.len - (size_t)len);
	return bytes;
}

const char *record_text(struct record_reader *reader, struct mx_arena *mem)
{
	return mx_arena_slice(mem, record_bytes(reader)).ptr;
}

bool record_more(const struct record_reader *reader)
{
	return !reader->broken && reader->rest.len > 0;
}

bool record_ok(const struct record_reader *reader)
{
	return !reader->broken;
}

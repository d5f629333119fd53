#include "shared/http/header_gate.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <strings.h>

/* RFC 9110, 5.6.2: the bytes of a token. */
static const bool token_bytes[256] = {
	['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
	['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
	['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
	['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
	['a' ... 'z'] = true, ['A' ... 'Z'] = true,
};

static bool is_token(struct mx_slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!token_bytes[(unsigned char)name.ptr[i]])
			return false;
	return name.len > 0;
}

/* No branch in the loop: this sees every byte of every request. */
static bool has_controls(struct mx_slice value)
{
	unsigned found = 0;

	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		found |= (c < 0x20) & (c != '\t');
		found |= c == 0x7F;
	}
	return found != 0;
}

static void keep(struct head *head, struct mx_slice *slot, struct mx_slice value)
{
	if (slot->ptr)
		head->repeated = true;
	*slot = value;
}

static bool is_name(struct mx_slice name, const char *lower)
{
	return strncasecmp(name.ptr, lower, name.len) == 0;
}

void head_add(struct head *head, struct mx_slice name, struct mx_slice value)
{
	if (!is_token(name) || has_controls(value))
		head->malformed = true;
	switch (name.len) {
	case 4:
		if (is_name(name, "host"))
			keep(head, &head->host, value);
		break;
	case 6:
		if (is_name(name, "expect"))
			head->expects = true;
		break;
	case 12:
		if (is_name(name, "content-type"))
			keep(head, &head->content_type, value);
		break;
	case 13:
		if (is_name(name, "authorization"))
			keep(head, &head->authorization, value);
		break;
	case 14:
		if (is_name(name, "content-length"))
			keep(head, &head->content_length, value);
		break;
	case 15:
		/* May legally repeat; the last one is our own proxy's. */
		if (is_name(name, "x-forwarded-for"))
			head->forwarded_for = value;
		break;
	case 16:
		if (is_name(name, "content-encoding"))
			keep(head, &head->content_encoding, value);
		break;
	case 17:
		if (is_name(name, "transfer-encoding"))
			keep(head, &head->transfer_encoding, value);
		break;
	}
}

static bool is_number(struct mx_slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return false;
	/* 18 digits fit into 64 bits, and nobody sends an exabyte. */
	return value.len > 0 && value.len <= 18;
}

static bool is_host(struct mx_slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if (c <= 0x20 || c >= 0x7F || strchr("/\\@?#,\"<>", c))
			return false;
	}
	return true;
}

int head_check(const struct head *head, bool http_1_1, struct mx_error *err)
{
	bool chunked = head->transfer_encoding.ptr != NULL;

	if (head->malformed)
		return mx_fail(err, MX_BAD_HTTP, "A header is malformed");
	if (head->repeated)
		return mx_fail(err, MX_BAD_HTTP, "A header that must be single is repeated");
	if (http_1_1 ? !head->host.ptr : chunked)
		return mx_fail(err, MX_BAD_HTTP, "%s",
			       http_1_1 ? "The Host header is missing"
					: "HTTP/1.0 has no Transfer-Encoding");
	if (head->host.ptr && !is_host(head->host))
		return mx_fail(err, MX_BAD_HTTP, "The Host header is malformed");
	if (chunked && head->content_length.ptr)
		return mx_fail(err, MX_BAD_HTTP,
			       "Content-Length and Transfer-Encoding exclude each other");
	if (chunked &&
	    (head->transfer_encoding.len != 7 || !is_name(head->transfer_encoding, "chunked")))
		return mx_fail(err, MX_BAD_HTTP, "The only known Transfer-Encoding is chunked");
	if (head->content_length.ptr && !is_number(head->content_length))
		return mx_fail(err, MX_BAD_HTTP, "Content-Length is not a number");
	return 0;
}

uint64_t head_body_len(const struct head *head)
{
	uint64_t len = 0;

	if (head->transfer_encoding.ptr)
		return UINT64_MAX;
	for (size_t i = 0; i < head->content_length.len; i++)
		len = len * 10 + (uint64_t)(head->content_length.ptr[i] - '0');
	return len;
}

bool head_is_form(const struct head *head)
{
	static const char form[] = "multipart/form-data";
	struct mx_slice rest = head->content_type, type;

	if (!rest.ptr || !mx_split_next(&rest, ';', &type))
		return false;
	type = mx_trim(type);
	return type.len == sizeof(form) - 1 && is_name(type, form);
}

bool head_is_encoded(const struct head *head)
{
	struct mx_slice coding = mx_trim(head->content_encoding);

	return coding.len > 0 && !(coding.len == 8 && is_name(coding, "identity"));
}

#include "shared/core/url.h"

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void mx_url_add(struct mx_str *out, struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_unreserved(text.ptr[i]))
			mx_str_add_char(out, text.ptr[i]);
		else
			mx_str_addf(out, "%%%02X", (unsigned char)text.ptr[i]);
	}
}

#include "shared/http/wire_layout.h"

#include <string.h>

#define CRLF 2

struct wire_layout wire_layout_begin(const char *method, struct mx_slice target,
				     const char *version, size_t block_len)
{
	bool fits = target.ptr == method + strlen(method) + 1 &&
		    version == target.ptr + target.len + 1;

	return (struct wire_layout){
		.end = method + block_len,
		.next = fits ? version + strlen(version) + CRLF : NULL,
	};
}

/* Behind a name come the colon, now a NUL, and blanks; behind a value comes CRLF. */
void wire_layout_header(struct wire_layout *layout, struct mx_slice name, struct mx_slice value)
{
	bool fits = name.ptr == layout->next && value.ptr > name.ptr + name.len &&
		    value.ptr <= layout->end && value.len <= (size_t)(layout->end - value.ptr);

	layout->next = fits ? value.ptr + value.len + CRLF : NULL;
}

bool wire_layout_is_clean(const struct wire_layout *layout)
{
	return layout->next && layout->next + CRLF == layout->end;
}

#include "shared/http/wire_layout.h"

#include <string.h>

#define CRLF 2

/* The piece [ptr, ptr + len) begins where it must and ends inside the block. */
static bool fits(const struct wire_layout *layout, const char *ptr, size_t len)
{
	return ptr == layout->next && len <= (size_t)(layout->end - ptr);
}

struct wire_layout wire_layout_begin(const char *method, struct mx_slice target,
				     const char *version, size_t block_len)
{
	return (struct wire_layout){
		.end = method + block_len,
		.next = version + strlen(version) + CRLF,
		.broken = target.ptr != method + strlen(method) + 1 ||
			  version != target.ptr + target.len + 1,
	};
}

void wire_layout_header(struct wire_layout *layout, struct mx_slice name, struct mx_slice value)
{
	const char *gap;

	if (layout->broken)
		return;
	layout->broken = true;
	if (!fits(layout, name.ptr, name.len) || value.ptr <= name.ptr + name.len ||
	    value.ptr > layout->end || value.len > (size_t)(layout->end - value.ptr))
		return;
	/* A NUL for the colon, then blanks only. */
	gap = name.ptr + name.len;
	if (*gap++ != '\0')
		return;
	while (gap < value.ptr && (*gap == ' ' || *gap == '\t'))
		gap++;
	layout->broken = gap != value.ptr;
	layout->next = value.ptr + value.len + CRLF;
}

bool wire_layout_is_clean(const struct wire_layout *layout)
{
	return !layout->broken && layout->next + CRLF == layout->end;
}

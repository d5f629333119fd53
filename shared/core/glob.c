#include "shared/core/glob.h"

#include "shared/core/utf8.h"

/* '?' stands for one code point; a broken sequence counts byte by byte. */
static size_t one_character(struct mx_slice subject, size_t at)
{
	size_t step = mx_utf8_step(mx_slice_of(subject.ptr + at, subject.len - at));

	return step ? step : 1;
}

bool mx_glob_match(struct mx_slice pattern, struct mx_slice subject)
{
	size_t p = 0, s = 0;
	size_t star = SIZE_MAX, retry = 0; /* the last '*', and where it is tried next */

	while (s < subject.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			retry = s;
		} else if (p < pattern.len && pattern.ptr[p] == '?') {
			p++;
			s += one_character(subject, s);
		} else if (p < pattern.len && pattern.ptr[p] == subject.ptr[s]) {
			p++;
			s++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			retry += one_character(subject, retry);
			s = retry;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

#include "shared/json/member.h"

#include <stdlib.h>

/* Few members are sorted by insertion: most objects are small and nearly in order. */
#define INSERTION_MAX 24

static int member_cmp(const void *a, const void *b)
{
	const struct mx_member *left = a, *right = b;

	return mx_slice_cmp(left->key, right->key);
}

static bool in_order(const struct mx_member *members, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (member_cmp(&members[i - 1], &members[i]) > 0)
			return false;
	return true;
}

static void sort(struct mx_member *members, size_t count)
{
	if (count > INSERTION_MAX) {
		if (!in_order(members, count))
			qsort(members, count, sizeof(*members), member_cmp);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct mx_member member = members[i];
		size_t at = i;

		for (; at > 0 && member_cmp(&members[at - 1], &member) > 0; at--)
			members[at] = members[at - 1];
		members[at] = member;
	}
}

void mx_members_sort(struct mx_members *members, size_t first)
{
	if (members->len > first)
		sort(members->items + first, members->len - first);
}

bool mx_member_is_listed(const char *const *list, struct mx_slice key)
{
	for (; list && *list; list++)
		if (mx_slice_is(key, *list))
			return true;
	return false;
}

#include "shared/core/alloc.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *ptr)
{
	if (ptr)
		return ptr;
	fputs("out of memory\n", stderr);
	abort();
}

void *mx_alloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *mx_calloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mx_realloc(void *ptr, size_t size)
{
	return checked(realloc(ptr, size ? size : 1));
}

void *mx_memdup(const void *ptr, size_t len)
{
	void *copy = mx_alloc(len);

	if (len)
		memcpy(copy, ptr, len);
	return copy;
}

char *mx_strdup(const char *text)
{
	return mx_memdup(text, strlen(text) + 1);
}

char *mx_strndup(const char *text, size_t len)
{
	char *copy = mx_alloc(len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void mx_free(void *ptr)
{
	free(ptr);
}

void mx_autofree_ptr(void *slot)
{
	void *ptr;

	memcpy(&ptr, slot, sizeof(ptr));
	free(ptr);
}

void mx_alloc_hook_jansson(void)
{
	json_set_alloc_funcs(mx_alloc, mx_free);
}

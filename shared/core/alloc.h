/* Heap memory. Allocation never fails: it aborts, so callers bound what they ask for. */
#pragma once

#include <stddef.h>

void *mx_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *mx_calloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void *mx_realloc(void *ptr, size_t size) __attribute__((warn_unused_result));
void *mx_memdup(const void *ptr, size_t len) __attribute__((malloc, warn_unused_result));
char *mx_strdup(const char *text) __attribute__((malloc, warn_unused_result));
char *mx_strndup(const char *text, size_t len) __attribute__((malloc, warn_unused_result));
void mx_free(void *ptr);

/* Makes jansson use the functions above; once, at start. */
void mx_alloc_hook_jansson(void);

/* mx_autofree char *p = …: freed when the scope ends. */
#define mx_autofree __attribute__((cleanup(mx_autofree_ptr)))
void mx_autofree_ptr(void *slot);

/* Takes the pointer out of its variable, which becomes NULL. */
#define mx_steal(slot)                              \
	({                                          \
		__typeof__(slot) slot_ = (slot);    \
		__typeof__(*slot_) taken_ = *slot_; \
		*slot_ = NULL;                      \
		taken_;                             \
	})

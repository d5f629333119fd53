/* Copies of a store's files into a directory that appears under its name only when it is whole. */
#pragma once

#include <stdbool.h>

struct mx_error;

struct store_copy {
	const char *from, *to;
	char *draft; /* "TO.partial" while it grows */
	bool hot; /* somebody writes to `from` meanwhile */
};

/* `to` must be new or an empty directory. A draft that a killed copy left is emptied. */
int store_copy_begin(struct store_copy *copy, struct mx_error *err);

/* Tables page by page: a page that changes while it is read is read again. */
int store_copy_tables(const struct store_copy *copy, struct mx_error *err);
int store_copy_logs(const struct store_copy *copy, struct mx_error *err);

/* The draft becomes `to`. */
int store_copy_finish(struct store_copy *copy, struct mx_error *err);
/* Removes the draft of a copy that was not finished. */
void store_copy_done(struct store_copy *copy);

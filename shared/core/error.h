/* Failures: codes from errc.def, with an optional sentence for the person who asked. */
#pragma once

#include <stdint.h>

enum mx_code {
	MX_OK = 0,
#define X(name, status, errcode, text) MX_##name,
#include "shared/core/errc.def"
#undef X
	MX_CODE_COUNT
};

struct mx_error {
	enum mx_code code;
	int64_t retry_after_ms; /* > 0: goes out with MX_LIMIT_EXCEEDED */
	char text[256];
};

struct mx_errc {
	int status;
	const char *name; /* "NOT_FOUND" */
	const char *errcode; /* "M_NOT_FOUND" */
	const char *text;
};

/* The row of `code`; rc of a function is its negative. */
const struct mx_errc *mx_errc(enum mx_code code);

/*
 * Returns -code, and stores code and text in err unless err is NULL.
 * The text is an English sentence for the client: no secrets, no internals.
 */
int mx_fail(struct mx_error *err, enum mx_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What to show for a failure: err's sentence if it has one, else the row's. */
const char *mx_error_text(const struct mx_error *err, int rc);

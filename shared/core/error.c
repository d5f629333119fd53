#include "shared/core/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct mx_errc rows[MX_CODE_COUNT] = {
	[MX_OK] = { 200, "OK", "", "" },
#define X(name, status, errcode, text) [MX_##name] = { status, #name, errcode, text },
#include "shared/core/errc.def"
#undef X
};

const struct mx_errc *mx_errc(enum mx_code code)
{
	assert(code < MX_CODE_COUNT);
	return &rows[code];
}

int mx_fail(struct mx_error *err, enum mx_code code, const char *format, ...)
{
	va_list args;

	if (!err)
		return -(int)code;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return -(int)code;
}

const char *mx_error_text(const struct mx_error *err, int rc)
{
	if (err && err->text[0] && (int)err->code == -rc)
		return err->text;
	return mx_errc((enum mx_code) - rc)->text;
}

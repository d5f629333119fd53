#include "tests/support/reply_mock.h"

#include "shared/core/alloc.h"
#include "shared/core/slice.h"

#include <stdatomic.h>
#include <stdbool.h>

/* As far as tests are concerned. */
struct reply_body {
	_Atomic int refs;
	char *text;
};

static _Atomic size_t alive;

struct reply_body *__wrap_reply_body_new(const char *content_type, const void *bytes, size_t len,
					 bool cors);
struct reply_body *__wrap_reply_body_ref(struct reply_body *body);
void __wrap_reply_body_unref(struct reply_body *body);

struct reply_body *__wrap_reply_body_new(const char *content_type, const void *bytes, size_t len,
					 bool cors)
{
	struct reply_body *body = mx_calloc(1, sizeof(*body));

	(void)content_type;
	(void)cors;
	body->refs = 1;
	body->text = mx_strndup(bytes, len);
	atomic_fetch_add(&alive, 1);
	return body;
}

struct reply_body *__wrap_reply_body_ref(struct reply_body *body)
{
	atomic_fetch_add(&body->refs, 1);
	return body;
}

void __wrap_reply_body_unref(struct reply_body *body)
{
	if (atomic_fetch_sub(&body->refs, 1) != 1)
		return;
	mx_free(body->text);
	mx_free(body);
	atomic_fetch_sub(&alive, 1);
}

const char *reply_mock_text(const struct reply_body *body)
{
	return body->text;
}

size_t reply_mock_alive(void)
{
	return alive;
}

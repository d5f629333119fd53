/* Prepared answers that tests may read, for programs with the line
 * wrap: reply_body_new reply_body_ref reply_body_unref. */
#pragma once

#include <stddef.h>

struct reply_body;

/* Borrowed. */
const char *reply_mock_text(const struct reply_body *body);

/* Answers that exist. */
size_t reply_mock_alive(void);

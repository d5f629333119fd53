/*
 * How a directory's entry becomes a user: "@{uid}:example.org", with an attribute in braces. Or
 * "{matrixId}" alone: an attribute that has the whole user id.
 */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct mx_arena;

/* Exactly one attribute, and the rest makes a user id of it. */
bool user_template_is_valid(const char *text);

/* The attribute's name. Of a valid template. */
struct mx_slice user_template_attribute(const char *text);

/* The user id in mem; NULL if the value makes none (of a name: that could be registered). Letters
 * of names become small ones, as directories do not tell them apart. */
const char *user_template_fill(const char *text, struct mx_slice value, struct mx_arena *mem);

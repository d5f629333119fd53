/* Scenarios in tables: tests/scenarios/KIND/NAME.json holds {"about": …, "cases": [{"name": …},
 * …]}; every case becomes a test of its own. */
#pragma once

#include "shared/core/str.h"

#include <jansson.h>

/*
 * Runs `test` once for each case of all files of the folder (TEST_DIR "/scenarios/KIND"), with
 * the case as *state (const json_t *). Returns what main() returns: the number of failures, or 1
 * if there is no case.
 */
int cases_run(const char *folder, void (*test)(void **state));

/*
 * Appends the bytes that `input` describes: a string is itself; {"hex": "c0af"} are those
 * bytes; {"repeat": "[]", "count": 9} is that text so often, where '#' becomes the number of the
 * repetition, and '@' a key that collides with all its likes under the hash "times 33, plus the
 * next byte"; an array is its elements one behind the other. Fails the test for anything else.
 */
void case_input(const json_t *input, struct mx_str *out);

/* "BAD_JSON" is -MX_BAD_JSON, "OK" or NULL is 0. */
int case_code(const char *name);

/* The code's name for messages; "OK" for 0. */
const char *case_code_name(int rc);

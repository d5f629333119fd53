/* Scenarios: files tests/scenarios/KIND/NAME.json, each one a test called NAME. */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;

struct scenario {
	const char *name; /* the file's, without .json */
	struct mx_json_doc doc; /* of the file: values keep their lexemes */
	uint32_t node; /* the object that the functions below look into */
	struct mx_arena *mem;
};

/* Runs every file of tests/scenarios/KIND as a test, in the order of their names; no file at all
 * is a failure. The result of main(). */
#define scenarios_run(kind, run) scenarios_run_in(kind, TEST_DIR "/scenarios/" kind, run)
int scenarios_run_in(const char *kind, const char *directory,
		     void (*run)(const struct scenario *scenario));

bool scenario_has(const struct scenario *scenario, const char *key);

/* A string, decoded; {NULL, 0} if the member is absent. Anything else fails the test. */
struct mx_slice scenario_text(const struct scenario *scenario, const char *key);

/* The same, NUL-terminated. */
const char *scenario_cstr(const struct scenario *scenario, const char *key);

/* The bytes of a value as they stand in the file; {NULL, 0} if the member is absent. */
struct mx_slice scenario_raw(const struct scenario *scenario, const char *key);

int64_t scenario_int(const struct scenario *scenario, const char *key, int64_t other);
bool scenario_bool(const struct scenario *scenario, const char *key, bool other);

/* The items of an array, each as a scenario to look into:
 * for (struct scenario item; scenario_next(&all, "sign", &cursor, &item);). Start with 0. */
bool scenario_next(const struct scenario *scenario, const char *key, uint32_t *cursor,
		   struct scenario *ret_item);

/* A member that is an object, as a scenario to look into; false if it is absent. */
bool scenario_object(const struct scenario *scenario, const char *key, struct scenario *ret_object);

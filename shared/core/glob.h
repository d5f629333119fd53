/* Matrix globs: '*' any run, '?' one character. Spec: appendices, "Glob-style matching". */
#pragma once

#include "shared/core/slice.h"

/* Whole-subject match, bytes compared exactly; time at most len(pattern) × len(subject). */
bool mx_glob_match(struct mx_slice pattern, struct mx_slice subject);

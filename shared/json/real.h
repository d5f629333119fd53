/* Numbers with a point or an exponent, as old rooms have them in signed JSON. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

#define MX_REAL_TEXT 48

/* The shortest text that reads back as the same double, written as the first servers wrote it
 * (Python's repr: "1.5", "1000.0", "1e+16", "1e-05"). False if the number is beyond a double. */
bool mx_real_format(struct mx_slice lexeme, char ret_text[MX_REAL_TEXT]);

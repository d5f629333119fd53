/* What a configuration does not name. */
#pragma once

#include <stdbool.h>

/* Zero is what is not named. */
void conf_default_number(unsigned *value, unsigned other);
/* NULL is; what is set is the configuration's, and freed with it. */
void conf_default_bool(bool **value, bool other);
void conf_default_text(char **value, const char *other);

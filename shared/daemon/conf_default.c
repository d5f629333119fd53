#include "shared/daemon/conf_default.h"

#include "shared/core/alloc.h"

void conf_default_number(unsigned *value, unsigned other)
{
	if (*value == 0)
		*value = other;
}

void conf_default_bool(bool **value, bool other)
{
	if (*value)
		return;
	*value = mx_alloc(sizeof(**value));
	**value = other;
}

void conf_default_text(char **value, const char *other)
{
	if (!*value)
		*value = mx_strdup(other);
}

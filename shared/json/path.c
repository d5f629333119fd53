#include "shared/json/path.h"

#include "shared/core/str.h"

/* Takes the first name of the path, unescaped; returns what is behind its dot, or NULL.
 * Spec: appendices, "Dot-separated property paths": other escapes mean themselves. */
static const char *name_take(const char *path, struct mx_str *ret_name)
{
	mx_str_clear(ret_name);
	for (; *path && *path != '.'; path++) {
		if (*path == '\\' && (path[1] == '.' || path[1] == '\\'))
			path++;
		mx_str_add_char(ret_name, *path);
	}
	return *path ? path + 1 : NULL;
}

json_t *mx_json_path(const json_t *json, const char *path)
{
	/* The root is only borrowed for reading, but what is found may be changed. */
	json_t *found = (json_t *)(uintptr_t)json;
	mx_str_auto name = { 0 };

	while (path && found) {
		path = name_take(path, &name);
		found = json_object_getn(found, mx_str_slice(&name).ptr, name.len);
	}
	return found;
}

#include "shared/http/router.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/http/param.h"
#include "shared/http/target.h"

/* A literal sibling wins, but the parameter beside it is tried too: "/profile/{user}/avatar_url"
 * may lack a method that "/profile/{user}/{key}" has. So several nodes are followed at once. */
#define PATHS_MAX 8

struct node {
	char *name; /* NULL: a parameter */
	size_t name_len;
	struct mx_vec(struct node *) children; /* literals, sorted by length, then bytes */
	struct node *param;
	const struct node *same; /* what it has not, that one may have; NULL: nothing */
	struct route_entry *entries[2][ROUTE_METHODS]; /* [1]: with a trailing slash */
};

struct router {
	struct node root;
	struct mx_vec(struct route_entry *) entries;
	const struct param_type *types;
};

static int compare_names(const struct node *node, struct mx_slice name)
{
	if (node->name_len != name.len)
		return node->name_len < name.len ? -1 : 1;
	return memcmp(node->name, name.ptr, name.len);
}

/* The place of the first child that is not before name. */
static size_t child_place(const struct node *node, struct mx_slice name)
{
	size_t low = 0, high = node->children.len;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_names(node->children.items[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct node *child_find(const struct node *node, struct mx_slice name)
{
	size_t place = child_place(node, name);

	if (place == node->children.len || compare_names(node->children.items[place], name) != 0)
		return NULL;
	return node->children.items[place];
}

static struct node *child_make(struct node *node, struct mx_slice name)
{
	size_t place = child_place(node, name);
	struct node *child = child_find(node, name);

	if (child)
		return child;
	child = mx_calloc(1, sizeof(*child));
	child->name = mx_strndup(name.ptr, name.len);
	child->name_len = name.len;
	mx_vec_push(&node->children, child);
	memmove(node->children.items + place + 1, node->children.items + place,
		(node->children.len - 1 - place) * sizeof(child));
	node->children.items[place] = child;
	return child;
}

static int param_add(struct router *router, struct route_entry *entry, struct mx_slice piece,
		     unsigned segment, struct mx_error *err)
{
	struct mx_slice rest = { piece.ptr + 1, piece.len - 2 }, name, type;
	struct route_param *param = &entry->params[entry->params_len];

	if (entry->params_len == ROUTE_PARAMS_MAX)
		return mx_fail(err, MX_BAD_CONFIG, "%s has too many parameters",
			       entry->route->path);
	mx_split_next(&rest, ':', &name);
	if (mx_split_next(&rest, ':', &type)) {
		param->type = param_type_find(router->types, type);
		if (!param->type)
			return mx_fail(err, MX_BAD_CONFIG, "%s: no parameter type %.*s",
				       entry->route->path, MX_SLICE_ARG(type));
	}
	param->name = mx_strndup(name.ptr, name.len);
	param->segment = segment;
	entry->params_len++;
	return 0;
}

static bool is_param(struct mx_slice piece)
{
	return piece.len > 2 && piece.ptr[0] == '{' && piece.ptr[piece.len - 1] == '}';
}

static struct node *step_down(struct node *node, struct mx_slice piece)
{
	if (!is_param(piece))
		return child_make(node, piece);
	if (!node->param)
		node->param = mx_calloc(1, sizeof(*node->param));
	return node->param;
}

/* Follows the path from the root, making what is missing. *ret_slash: it ends with '/'. */
static int path_add(struct router *router, struct route_entry *entry, struct node **ret_node,
		    bool *ret_slash, struct mx_error *err)
{
	struct mx_slice rest = mx_slice(entry->route->path), piece;
	struct node *node = &router->root;
	unsigned segment = 0;

	*ret_slash = false;
	if (rest.len == 0 || rest.ptr[0] != '/')
		return mx_fail(err, MX_BAD_CONFIG, "A route's path must begin with '/'");
	mx_split_next(&rest, '/', &piece);
	while (mx_split_next(&rest, '/', &piece)) {
		int rc;

		if (piece.len == 0 && rest.ptr)
			return mx_fail(err, MX_BAD_CONFIG, "%s has an empty segment",
				       entry->route->path);
		if (piece.len == 0) {
			*ret_slash = segment > 0;
			break;
		}
		node = step_down(node, piece);
		rc = is_param(piece) ? param_add(router, entry, piece, segment, err) : 0;
		if (rc)
			return rc;
		segment++;
	}
	*ret_node = node;
	return 0;
}

static int entry_place(struct node *node, struct route_entry *entry, bool slash,
		       struct mx_error *err)
{
	struct route_entry **slot = &node->entries[slash][entry->route->method];

	if (*slot)
		return mx_fail(err, MX_BAD_CONFIG, "%s is routed twice", entry->route->path);
	*slot = entry;
	return 0;
}

static int route_add(struct router *router, const struct route *route, struct mx_error *err)
{
	struct route_entry *entry = mx_calloc(1, sizeof(*entry));
	struct node *node = NULL;
	bool slash;
	int rc;

	entry->route = route;
	entry->index = (unsigned)router->entries.len;
	mx_vec_push(&router->entries, entry);
	rc = path_add(router, entry, &node, &slash, err);
	if (rc == 0)
		rc = entry_place(node, entry, slash, err);
	if (rc == 0 && (route->flags & ROUTE_SLASH))
		rc = entry_place(node, entry, !slash, err);
	return rc;
}

int router_new(const struct route *const *tables, const struct param_type *types,
	       struct router **ret_router, struct mx_error *err)
{
	struct router *router = mx_calloc(1, sizeof(*router));

	router->types = types;
	for (; *tables; tables++) {
		for (const struct route *route = *tables; route->path; route++) {
			int rc = route_add(router, route, err);

			if (rc) {
				router_free(router);
				return rc;
			}
		}
	}
	*ret_router = router;
	return 0;
}

static unsigned depth_of(const char *path)
{
	unsigned depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

int router_alias(struct router *router, const struct route_alias *alias, struct mx_error *err)
{
	struct mx_slice path = mx_slice(alias->path), as = mx_slice(alias->as), piece;
	struct node *node = &router->root, *same = &router->root;

	if (depth_of(alias->path) != depth_of(alias->as) || strpbrk(alias->path, "{}"))
		return mx_fail(err, MX_BAD_CONFIG, "%s cannot stand for %s", alias->path,
			       alias->as);
	mx_split_next(&as, '/', &piece);
	while (same && mx_split_next(&as, '/', &piece))
		same = child_find(same, piece);
	if (!same)
		return mx_fail(err, MX_BAD_CONFIG, "Nothing is routed below %s", alias->as);
	mx_split_next(&path, '/', &piece);
	while (mx_split_next(&path, '/', &piece))
		node = child_make(node, piece);
	node->same = same;
	return 0;
}

/* Moves the node's children to the list and frees what it owns. */
static void node_unfold(struct node *node, struct node ***list, size_t *len, size_t *cap)
{
	for (size_t i = 0; i <= node->children.len; i++) {
		struct node *child = i < node->children.len ? node->children.items[i] : node->param;

		if (!child)
			continue;
		*list = mx_vec_grow(*list, *len, cap, sizeof(**list));
		(*list)[(*len)++] = child;
	}
	mx_vec_done(&node->children);
	mx_free(node->name);
}

static void entry_free(struct route_entry *entry)
{
	for (unsigned i = 0; i < entry->params_len; i++)
		mx_free((char *)entry->params[i].name);
	mx_free(entry);
}

void router_free(struct router *router)
{
	struct node **list = NULL;
	size_t len = 0, cap = 0;

	if (!router)
		return;
	node_unfold(&router->root, &list, &len, &cap);
	while (len > 0) {
		struct node *node = list[--len];

		node_unfold(node, &list, &len, &cap);
		mx_free(node);
	}
	mx_free(list);
	for (size_t i = 0; i < router->entries.len; i++)
		entry_free(router->entries.items[i]);
	mx_vec_done(&router->entries);
	mx_free(router);
}

/* The nodes one segment below `from`, literals first. */
static unsigned follow(const struct node *const from[PATHS_MAX], unsigned len, const char *segment,
		       const struct node *ret_to[PATHS_MAX])
{
	struct mx_slice name = mx_slice(segment);
	unsigned count = 0;

	if (name.len == 0)
		return 0;
	for (unsigned i = 0; i < len && count < PATHS_MAX; i++) {
		const struct node *child = child_find(from[i], name);

		if (child)
			ret_to[count++] = child;
		if (child && child->same && count < PATHS_MAX)
			ret_to[count++] = child->same;
		if (from[i]->param && count < PATHS_MAX)
			ret_to[count++] = from[i]->param;
	}
	return count;
}

static unsigned node_methods(const struct node *node, bool slash)
{
	unsigned methods = 0;

	for (unsigned m = 0; m < ROUTE_METHODS; m++)
		if (node->entries[slash][m])
			methods |= 1u << m;
	return methods;
}

const struct route_entry *router_find(const struct router *router, enum http_method method,
				      const struct target *target, unsigned *ret_allowed)
{
	const struct node *paths[2][PATHS_MAX] = { { &router->root } };
	unsigned len = 1, turn = 0;

	for (unsigned i = 0; i < target->len && len > 0; i++, turn = !turn)
		len = follow(paths[turn], len, target->segments[i], paths[!turn]);
	*ret_allowed = 0;
	for (unsigned i = 0; i < len; i++) {
		const struct node *node = paths[turn][i];

		if (node->entries[target->slash][method])
			return node->entries[target->slash][method];
		*ret_allowed |= node_methods(node, target->slash);
	}
	return NULL;
}

unsigned router_len(const struct router *router)
{
	return (unsigned)router->entries.len;
}

struct route_entry *router_entry(const struct router *router, unsigned index)
{
	return router->entries.items[index];
}

#include "shared/store/ordered.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"

/* One pointer of a level that leads to the place in question. */
struct links {
	struct store_ordered_node **at[STORE_ORDERED_HEIGHT];
};

static bool stands_before(const struct store_ordered_node *node, struct mx_slice key,
			  uint64_t position)
{
	int order = mx_slice_cmp(node->key, key);

	return order < 0 || (order == 0 && node->position < position);
}

static void links_find(struct store_ordered *map, struct mx_slice key, uint64_t position,
		       struct links *ret_links)
{
	struct store_ordered_node **next = map->head;

	for (unsigned level = STORE_ORDERED_HEIGHT; level-- > 0;) {
		while (next[level] && stands_before(next[level], key, position))
			next = next[level]->next;
		ret_links->at[level] = &next[level];
	}
}

struct store_ordered_node *store_ordered_from(const struct store_ordered *map, struct mx_slice key,
					      uint64_t position)
{
	struct store_ordered_node *const *next = map->head;

	for (unsigned level = STORE_ORDERED_HEIGHT; level-- > 0;) {
		while (next[level] && stands_before(next[level], key, position))
			next = next[level]->next;
	}
	return next[0];
}

static bool is_at(const struct store_ordered_node *node, struct mx_slice key, uint64_t position)
{
	return node && node->position == position && mx_slice_eq(node->key, key);
}

struct store_ordered_node *store_ordered_find(const struct store_ordered *map, struct mx_slice key,
					      uint64_t position)
{
	struct store_ordered_node *node = store_ordered_from(map, key, position);

	return is_at(node, key, position) ? node : NULL;
}

/* Every level holds a quarter of the one below. Heights come from a xorshift generator: what
 * callers store has no influence on them. */
static unsigned height_next(struct store_ordered *map)
{
	uint32_t bits = map->random ? map->random : 0x9E3779B9;
	unsigned height = 1;

	bits ^= bits << 13;
	bits ^= bits >> 17;
	bits ^= bits << 5;
	map->random = bits;
	for (; height < STORE_ORDERED_HEIGHT && (bits & 3) == 0; bits >>= 2)
		height++;
	return height;
}

static size_t node_size(unsigned height, size_t bytes)
{
	return sizeof(struct store_ordered_node) + height * sizeof(struct store_ordered_node *) +
	       bytes;
}

size_t store_ordered_size(const struct store_ordered_node *node)
{
	return node_size(node->height, node->key.len + node->value.len);
}

static struct mx_slice copy_to(char *to, struct mx_slice bytes)
{
	if (bytes.len)
		memcpy(to, bytes.ptr, bytes.len);
	return mx_slice_of(to, bytes.len);
}

static struct store_ordered_node *node_new(struct store_ordered *map, struct mx_arena *mem,
					   const struct store_ordered_row *row)
{
	unsigned height = height_next(map);
	size_t size = node_size(height, row->key.len + row->value.len);
	struct store_ordered_node *node = mem ? mx_arena_alloc(mem, size) : mx_alloc(size);
	char *bytes = (char *)&node->next[height];

	node->key = copy_to(bytes, row->key);
	node->value = copy_to(bytes + row->key.len, row->value);
	node->position = row->position;
	node->present = row->present;
	node->height = (uint8_t)height;
	node->stamp_end = row->stamp_end;
	return node;
}

struct store_ordered_node *store_ordered_put(struct store_ordered *map, struct mx_arena *mem,
					     const struct store_ordered_row *row)
{
	struct store_ordered_node *node = node_new(map, mem, row);
	struct store_ordered_node *old;
	struct links links;

	links_find(map, row->key, row->position, &links);
	old = *links.at[0];
	if (is_at(old, row->key, row->position)) {
		store_ordered_remove(map, old);
		if (!mem)
			mx_free(old);
		links_find(map, row->key, row->position, &links);
	}
	for (unsigned level = 0; level < node->height; level++) {
		node->next[level] = *links.at[level];
		*links.at[level] = node;
	}
	map->len++;
	return node;
}

void store_ordered_remove(struct store_ordered *map, struct store_ordered_node *node)
{
	struct links links;

	links_find(map, node->key, node->position, &links);
	for (unsigned level = 0; level < node->height; level++)
		*links.at[level] = node->next[level];
	map->len--;
}

void store_ordered_done(struct store_ordered *map)
{
	struct store_ordered_node *node = map->head[0];

	while (node) {
		struct store_ordered_node *next = node->next[0];

		mx_free(node);
		node = next;
	}
	*map = (struct store_ordered){ 0 };
}

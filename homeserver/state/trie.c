#include "homeserver/state/trie.h"

#include "shared/core/alloc.h"
#include "shared/core/vec.h"

#include <string.h>

#define BITS   6
#define PLACES 64

/* ---- nodes */

void trie_nodes_init(struct trie_nodes *nodes, uint32_t first)
{
	*nodes = (struct trie_nodes){ .first = first };
}

void trie_nodes_done(struct trie_nodes *nodes)
{
	for (size_t i = 0; i < nodes->len; i++)
		mx_free(nodes->items[i]);
	mx_vec_done(nodes);
}

static size_t count(uint64_t bitmap)
{
	return (size_t)__builtin_popcountll(bitmap);
}

static size_t size_of(size_t items)
{
	return sizeof(struct trie_node) + items * sizeof(uint32_t);
}

size_t trie_node_size(const struct trie_node *node)
{
	return size_of(count(node->bitmap));
}

static const struct trie_node *node_of(struct trie_nodes *nodes, uint32_t number)
{
	const struct trie_node *node = NULL;

	if (!number)
		return NULL;
	if (number >= nodes->first && number - nodes->first < nodes->len)
		return nodes->items[number - nodes->first];
	if (number < nodes->first && nodes->load)
		node = nodes->load(nodes->ctx, number);
	nodes->broken = nodes->broken || !node;
	return node;
}

/* Takes the node; its number. */
static uint32_t add(struct trie_nodes *nodes, struct trie_node *node)
{
	mx_vec_push(nodes, node);
	return nodes->first + (uint32_t)(nodes->len - 1);
}

/* ---- places */

static unsigned place_of(uint32_t slot, unsigned level)
{
	return (slot >> (level * BITS)) % PLACES;
}

/* Whether a trie of that level has a place for the slot. */
static bool covers(unsigned level, uint32_t slot)
{
	unsigned bits = (level + 1) * BITS;

	return bits >= 32 || slot >> bits == 0;
}

static size_t index_of(uint64_t bitmap, unsigned place)
{
	return count(bitmap & ((UINT64_C(1) << place) - 1));
}

static uint32_t item_at(const struct trie_node *node, unsigned place)
{
	if (!node || !(node->bitmap >> place & 1))
		return 0;
	return node->items[index_of(node->bitmap, place)];
}

uint32_t trie_find(struct trie_nodes *nodes, uint32_t root, uint32_t slot)
{
	const struct trie_node *node = node_of(nodes, root);

	if (!node || !covers(node->level, slot))
		return 0;
	for (unsigned level = node->level; node && level > 0; level--)
		node = node_of(nodes, item_at(node, place_of(slot, level)));
	return item_at(node, place_of(slot, 0));
}

/* ---- putting */

/* A copy with the item in its place, or without one for item 0; NULL if nothing is left. */
static struct trie_node *with_item(const struct trie_node *node, unsigned level, unsigned place,
				   uint32_t item)
{
	uint64_t bitmap = node ? node->bitmap : 0, bit = UINT64_C(1) << place;
	uint64_t next = item ? bitmap | bit : bitmap & ~bit;
	struct trie_node *copy;
	size_t at = 0;

	if (!next)
		return NULL;
	copy = mx_alloc(size_of(count(next)));
	copy->bitmap = next;
	copy->level = (uint8_t)level;
	for (uint64_t left = next; left; left &= left - 1) {
		unsigned here = (unsigned)__builtin_ctzll(left);

		copy->items[at++] = here == place ? item : item_at(node, here);
	}
	return copy;
}

/* A root that covers the slot: the old one becomes the first place of higher ones. */
static uint32_t grown(struct trie_nodes *nodes, uint32_t root, uint32_t slot)
{
	const struct trie_node *node = node_of(nodes, root);
	unsigned level = node ? node->level : 0;

	while (node && !covers(level, slot))
		root = add(nodes, with_item(NULL, ++level, 0, root));
	return root;
}

static unsigned level_for(uint32_t slot)
{
	unsigned level = 0;

	while (!covers(level, slot))
		level++;
	return level;
}

uint32_t trie_put(struct trie_nodes *nodes, uint32_t root, uint32_t slot, uint32_t value)
{
	const struct trie_node *way[TRIE_LEVEL_MAX + 1] = { 0 };
	unsigned top, level;
	uint32_t item = value;

	if (trie_find(nodes, root, slot) == value)
		return root;
	root = grown(nodes, root, slot);
	way[0] = node_of(nodes, root);
	top = way[0] ? way[0]->level : level_for(slot);
	for (level = top; level > 0; level--)
		way[top - level + 1] = node_of(nodes,
					       item_at(way[top - level], place_of(slot, level)));
	for (level = 0; level <= top; level++) {
		struct trie_node *node = with_item(way[top - level], level, place_of(slot, level),
						   item);

		item = node ? add(nodes, node) : 0;
	}
	return item;
}

/* ---- differences */

/* One level of two tries that are walked side by side. */
struct frame {
	const struct trie_node *a, *b;
	unsigned level;
	uint32_t slot; /* of the first place */
	uint64_t left; /* places */
};

struct walk {
	struct trie_nodes *nodes;
	trie_diff_fn fn;
	void *ctx;
	struct frame frames[TRIE_LEVEL_MAX + 1];
	size_t depth;
};

/* A trie of a lower level is all in the first place of a higher one. */
static uint64_t places(const struct trie_node *node, unsigned level)
{
	if (!node)
		return 0;
	return node->level == level ? node->bitmap : 1;
}

static void enter(struct walk *walk, const struct trie_node *a, const struct trie_node *b,
		  uint32_t slot)
{
	unsigned level = a && (!b || a->level > b->level) ? a->level : b->level;

	walk->frames[walk->depth++] = (struct frame){ .a = a,
						      .b = b,
						      .level = level,
						      .slot = slot,
						      .left = places(a, level) | places(b, level) };
}

static const struct trie_node *below(struct walk *walk, const struct trie_node *node,
				     const struct frame *frame, unsigned place)
{
	if (node && node->level < frame->level)
		return place == 0 ? node : NULL;
	return node_of(walk->nodes, item_at(node, place));
}

static bool is_shared(const struct frame *frame, unsigned place)
{
	return frame->a && frame->b && frame->a->level == frame->b->level &&
	       item_at(frame->a, place) == item_at(frame->b, place);
}

static void step(struct walk *walk)
{
	struct frame *frame = &walk->frames[walk->depth - 1];
	unsigned place = (unsigned)__builtin_ctzll(frame->left);
	uint32_t slot = frame->slot + ((uint32_t)place << (frame->level * BITS));
	const struct trie_node *a, *b;

	frame->left &= frame->left - 1;
	if (is_shared(frame, place))
		return;
	if (frame->level == 0) {
		walk->fn(walk->ctx, slot, item_at(frame->a, place), item_at(frame->b, place));
		return;
	}
	a = below(walk, frame->a, frame, place);
	b = below(walk, frame->b, frame, place);
	if (a || b)
		enter(walk, a, b, slot);
}

void trie_diff(struct trie_nodes *nodes, uint32_t a, uint32_t b, trie_diff_fn fn, void *ctx)
{
	struct walk walk = { .nodes = nodes, .fn = fn, .ctx = ctx };
	const struct trie_node *node_a = node_of(nodes, a), *node_b = node_of(nodes, b);

	if (a == b || (!node_a && !node_b))
		return;
	enter(&walk, node_a, node_b, 0);
	while (walk.depth) {
		if (walk.frames[walk.depth - 1].left)
			step(&walk);
		else
			walk.depth--;
	}
}

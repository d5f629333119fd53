#include "shared/outbox/queue.h"

#include "shared/core/time.h"
#include "shared/http/request.h"

#define WAIT_MAX_MS MX_SECOND_MS /* the wall clock may jump */

struct clocks clocks_now(void)
{
	return (struct clocks){ mx_now_ms(), mx_mono_ms() };
}

void queue_init(struct queue *queue, struct outbox *outbox, const struct outbox_kind *kind)
{
	*queue = (struct queue){ .outbox = outbox, .kind = *kind };
	if (!queue->kind.lane_parallel)
		queue->kind.lane_parallel = queue->kind.parallel;
}

/* The items are released by the outbox, which has them all. */
void queue_done(struct queue *queue)
{
	mx_due_heap_done(&queue->waiting);
	mx_map_done(&queue->lanes, NULL);
}

/* ---- lanes */

static struct lane *lane_of(struct queue *queue, struct mx_slice name)
{
	struct lane *lane = mx_map_find(&queue->lanes, name);

	if (lane)
		return lane;
	lane = mx_calloc(1, sizeof(*lane));
	lane->name = mx_strndup(name.ptr, name.len);
	mx_map_put(&queue->lanes, name, lane);
	return lane;
}

/* The pause of an empty lane that was used a moment ago is forgotten with it; who sends one item
 * at a time through it waits for the answers anyway. */
static void lane_leave(struct queue *queue, struct lane *lane)
{
	if (--lane->items > 0)
		return;
	mx_map_remove(&queue->lanes, mx_slice(lane->name));
	mx_due_heap_done(&lane->blocked);
	mx_free(lane->name);
	mx_free(lane);
}

static bool lane_is_full(const struct queue *queue, const struct lane *lane)
{
	return lane->sending >= queue->kind.lane_parallel;
}

static void wait_for_lane(struct queue *queue, struct item *item, struct clocks clocks)
{
	int64_t pause_ms = item->lane->free_ms - clocks.mono_ms;

	item->lane->next = item;
	item->blocked = false;
	mx_due_add(&queue->waiting, &item->due, clocks.now_ms + (pause_ms > 0 ? pause_ms : 0));
}

/* One blocked item of the lane gets its turn, if there is room. */
static void lane_call(struct queue *queue, struct lane *lane, struct clocks clocks)
{
	struct mx_due *first = mx_due_first(&lane->blocked);

	if (!first || lane->next || lane_is_full(queue, lane))
		return;
	mx_due_remove(&lane->blocked, first);
	wait_for_lane(queue, mx_due_entry(first, struct item, due), clocks);
}

static void lane_block(struct item *item)
{
	item->blocked = true;
	mx_due_add(&item->lane->blocked, &item->due, item->due_ms);
}

/* ---- items */

struct item *queue_add(struct queue *queue, uint64_t id, struct mx_slice lane, int64_t due_ms)
{
	struct item *item = mx_calloc(1, sizeof(*item));

	item->id = id;
	item->due_ms = due_ms;
	item->end = OUTBOX_WITHDRAWN;
	item->queue = queue;
	item->lane = lane_of(queue, lane);
	item->lane->items++;
	queue->items++;
	mx_due_add(&queue->waiting, &item->due, due_ms);
	return item;
}

/* Out of the heap that it stands in. */
static void leave_heap(struct item *item)
{
	struct lane *lane = item->lane;

	mx_due_remove(item->blocked ? &lane->blocked : &item->queue->waiting, &item->due);
	item->blocked = false;
	if (lane->next != item)
		return;
	lane->next = NULL;
	lane_call(item->queue, lane, clocks_now());
}

void item_wake_watchers(struct item *item)
{
	for (size_t i = 0; i < item->watchers.len; i++) {
		req_wake(item->watchers.items[i]);
		req_wake_unref(item->watchers.items[i]);
	}
	mx_vec_done(&item->watchers);
}

void queue_remove(struct item *item)
{
	leave_heap(item);
	item_wake_watchers(item);
	item->queue->items--;
	lane_leave(item->queue, item->lane);
	mx_free(item);
}

void queue_move(struct item *item, int64_t due_ms)
{
	leave_heap(item);
	item->due_ms = due_ms;
	mx_due_add(&item->queue->waiting, &item->due, due_ms);
}

/* ---- turns */

static void item_begin(struct queue *queue, struct item *item, struct clocks clocks)
{
	struct lane *lane = item->lane;

	item->sending = true;
	lane->sending++;
	lane->free_ms = clocks.mono_ms + queue->kind.lane_pause_ms;
	lane_call(queue, lane, clocks);
}

/* False if its lane makes it wait. */
static bool item_may_begin(struct queue *queue, struct item *item, struct clocks clocks)
{
	struct lane *lane = item->lane;

	if (lane->next == item)
		lane->next = NULL;
	if (lane->next || lane_is_full(queue, lane)) {
		lane_block(item);
		return false;
	}
	if (lane->free_ms > clocks.mono_ms) {
		wait_for_lane(queue, item, clocks);
		return false;
	}
	return true;
}

struct item *queue_take(struct queue *queue, struct clocks clocks, int64_t *ret_wait_ms)
{
	struct mx_due *first;

	while ((first = mx_due_first(&queue->waiting)) && first->at <= clocks.now_ms) {
		struct item *item = mx_due_entry(first, struct item, due);

		mx_due_remove(&queue->waiting, first);
		if (!item_may_begin(queue, item, clocks))
			continue;
		item_begin(queue, item, clocks);
		return item;
	}
	*ret_wait_ms = first ? first->at - clocks.now_ms : WAIT_MAX_MS;
	if (*ret_wait_ms > WAIT_MAX_MS)
		*ret_wait_ms = WAIT_MAX_MS;
	return NULL;
}

void queue_release(struct item *item)
{
	item->sending = false;
	item->lane->sending--;
	lane_call(item->queue, item->lane, clocks_now());
}

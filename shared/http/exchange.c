#include "shared/http/exchange.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/rand.h"
#include "shared/http/park.h"
#include "shared/http/reply.h"
#include "shared/http/spool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define POOL_MAX      64 /* per thread; more only stand by after a burst */
#define BODY_KEPT_MAX 8192
#define OWN_BLOCK     1024 /* kept while a request is parked */
#define RUN_BLOCK     2048

struct pool {
	struct exchange *first;
	unsigned len;
};

static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;
static _Thread_local struct pool *pool;

static void exchange_free(struct exchange *ex)
{
	mx_arena_free(ex->req.mem);
	mx_arena_free(ex->own);
	mx_str_done(&ex->body);
	mx_free(ex);
}

static void pool_free(void *ptr)
{
	struct pool *own = ptr;

	while (own->first) {
		struct exchange *next = own->first->next;

		exchange_free(own->first);
		own->first = next;
	}
	mx_free(own);
	pool = NULL;
}

static uint64_t first_block; /* of request ids */

static void pool_key_make(void)
{
	pthread_key_create(&pool_key, pool_free);
	mx_random_bytes(&first_block, sizeof(first_block));
}

static struct pool *pool_of_thread(void)
{
	if (pool)
		return pool;
	pthread_once(&pool_once, pool_key_make);
	pool = mx_calloc(1, sizeof(*pool));
	pthread_setspecific(pool_key, pool);
	return pool;
}

/* Eight characters that differ from request to request, and from start to start; odd steps visit
 * every number. */
static void id_next(struct exchange *ex)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	static _Atomic uint64_t blocks;
	static _Thread_local uint64_t number;
	uint64_t bits;

	if ((number & 0xFFF) == 0)
		number = (first_block + atomic_fetch_add(&blocks, 1)) << 12;
	bits = number++ * UINT64_C(0x9E3779B97F4A7C15);
	for (unsigned i = 0; i < 8; i++, bits >>= 5)
		ex->id[i] = digits[bits & 31];
}

struct exchange *exchange_take(void)
{
	struct pool *own = pool_of_thread();
	struct exchange *ex = own->first;

	if (ex) {
		own->first = ex->next;
		own->len--;
	} else {
		ex = mx_calloc(1, sizeof(*ex));
		ex->own = mx_arena_new(OWN_BLOCK);
		ex->req.mem = mx_arena_new(RUN_BLOCK);
	}
	id_next(ex);
	ex->req.id = ex->id;
	return ex;
}

static void drop_kept(struct req *r)
{
	if (r->kept && r->kept_free)
		r->kept_free(r->kept);
	r->kept = NULL;
	r->kept_free = NULL;
}

void exchange_clear_run(struct exchange *ex)
{
	reply_clear(ex);
	if (ex->req.mem)
		mx_arena_reset(ex->req.mem);
	else
		ex->req.mem = mx_arena_new(RUN_BLOCK);
	if (ex->req.err_fields)
		json_decref(ex->req.err_fields);
	ex->req.err_fields = NULL;
	ex->req.err.code = MX_OK;
	ex->req.err.retry_after_ms = 0;
	ex->req.err.text[0] = '\0';
}

void exchange_rest(struct exchange *ex)
{
	exchange_clear_run(ex);
	mx_arena_free(ex->req.mem);
	ex->req.mem = NULL;
}

/* Everything but the arenas, the body's buffer and the pool's link starts as zeros. Field by
 * field would be shorter to run but forgets the next field that somebody adds. */
static void exchange_blank(struct exchange *ex)
{
	struct mx_arena *mem = ex->req.mem, *own = ex->own;
	struct mx_str body = ex->body;

	memset(ex, 0, sizeof(*ex));
	ex->req.mem = mem;
	ex->own = own;
	ex->body = body;
}

void exchange_give(struct exchange *ex)
{
	struct pool *own = pool_of_thread();

	park_forget(ex);
	exchange_clear_run(ex);
	drop_kept(&ex->req);
	if (ex->req.body)
		json_decref(ex->req.body);
	spool_free(ex->req.spool);
	mx_arena_reset(ex->own);
	if (ex->body.cap > BODY_KEPT_MAX)
		mx_str_done(&ex->body);
	else
		mx_str_clear(&ex->body);
	if (own->len >= POOL_MAX) {
		exchange_free(ex);
		return;
	}
	exchange_blank(ex);
	ex->next = own->first;
	own->first = ex;
	own->len++;
}

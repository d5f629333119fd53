#include "shared/daemon/memory.h"

#include <malloc.h>

/* Every arena keeps what its threads once needed. By default there are eight for each core. */
#define ARENAS_MAX 2
/* Set, so that it does not grow: a block of this size goes back to the system when it is freed. */
#define MMAP_BYTES (256 * 1024)
#define TRIM_BYTES (256 * 1024)

void memory_setup(void)
{
	mallopt(M_ARENA_MAX, ARENAS_MAX);
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

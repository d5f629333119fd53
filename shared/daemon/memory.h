/* How the allocator behaves in a daemon: many threads, answers of some bytes and of a megabyte. */
#pragma once

/* Before any thread is started. */
void memory_setup(void);

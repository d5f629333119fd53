/* Names and avatars on their way into rooms. What is to be done is a row, so it survives a crash;
 * doing it twice does nothing, as a room that has the name already is left alone. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct hs;

/* Until everything is done, or *stopping. What fails is still to be done. */
int profile_rooms_tell(struct hs *hs, const _Atomic bool *stopping);

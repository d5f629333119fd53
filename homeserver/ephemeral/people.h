/* What is going on about people from start to stop: who types, who is there, whose rooms have to
 * hear of a new name. */
#pragma once

struct hs;

/* After the stream and the rooms. */
void people_open(struct hs *hs);
/* Also what a failed start left. */
void people_close(struct hs *hs);

/* Headers that every answer, or every answer to a browser, carries. */
#pragma once

#include <stdbool.h>

struct MHD_Response;

/* Spec: client-server API, "Web Browser Clients". */
void cors_add(struct MHD_Response *response);

/* Not to be cached unless `own_cache` (the reply has its own Cache-Control), nor guessed at. */
void hardening_add(struct MHD_Response *response, bool own_cache);

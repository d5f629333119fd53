/* A place in a room between two events, for /messages and prev_batch of /sync: t<depth>_<rseq>,
 * before the event that stands there. */
#pragma once

#include "homeserver/room/room_db.h"
#include "shared/core/slice.h"

struct mx_error;
struct mx_str;

#define PAGE_TOKEN_MAX 44 /* bytes */

void page_token_add(struct mx_str *out, struct topo_place place);
/* As a member of the object that is written. */
void page_token_write(struct mx_str *out, const char *key, struct topo_place place);
/* Exactly what page_token_add() writes; else -MX_INVALID_PARAM. */
int page_token_parse(struct mx_slice text, struct topo_place *ret_place, struct mx_error *err);

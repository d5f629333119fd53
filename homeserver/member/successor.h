/* Moving from an upgraded room into the one that follows it.
 * Spec: client-server API, "Room Upgrades", server behaviour. */
#pragma once

struct room_turn;

/* Somebody joined the turn's room. If a room of ours was upgraded to it, their tags, other data of
 * the room, and the note that it is a direct chat are copied. That a room says so itself is not
 * enough: the old one's tombstone has to name it. */
int successor_move_in(struct room_turn *turn, const char *user_id);

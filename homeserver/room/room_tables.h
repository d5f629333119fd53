/* The tables of room_db.h, each with the file that reads and writes it. */
#pragma once

struct store_table;

extern const struct store_table timeline_table, topo_table, time_table; /* timeline_db.c */
extern const struct store_table member_table; /* member_db.c */
extern const struct store_table user_room_table; /* user_room_db.c */
extern const struct store_table relation_table, redaction_table; /* relation_db.c */

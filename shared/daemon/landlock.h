/* Limits which files this process can open at all, by the kernel's Landlock. */
#pragma once

struct daemon_conf;
struct daemon_paths;

/* For the calling thread and those that it starts later. The ABI in force, 0 = none. */
int landlock_enter(const struct daemon_conf *values, const struct daemon_paths *paths);

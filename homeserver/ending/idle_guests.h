/* Guests who come no more: nobody logs in to such an account again, as it has no password. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Ends the accounts of guests whom no device has shown for `registration.guest_days`; how many. For
 * a chore; ctx is the struct hs. */
size_t idle_guests_end(void *hs, int64_t now_ms);

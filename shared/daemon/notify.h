/* Tells the service manager how the daemon is: systemd's notification protocol. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sends "READY=1" and the like to $NOTIFY_SOCKET; does nothing without one. */
void notify_send(const char *state);
/* With the time that RELOADING=1 has to carry. */
void notify_reloading(void);
/* How often WATCHDOG=1 is to be sent, by $WATCHDOG_USEC and $WATCHDOG_PID; 0 = not at all. */
int64_t notify_watchdog_ms(void);

/*
 * log.h - one event a line on stderr: `event key=value ...`.
 *
 * Keys come in a fixed order; strings that a stranger chose come last and go
 * through log_quote().  A line is at most 1 KiB and leaves in one write(2).
 * Outside a service manager that stamps lines itself, a UTC time stands in
 * front.  With `[log] syslog = yes` lines go to syslog(3) instead.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

/* process: the name that fatal errors carry; kept, not copied. */
void log_open(const char *process);
void log_to_syslog(bool on);
/* The name given to log_open(). */
const char *log_process(void);

void log_event(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* As log_event, when debugging was asked for with POSTERN_DEBUG=1. */
void log_debug(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * s (NUL-terminated, may be NULL) in double quotes with everything but
 * printable ASCII and UTF-8 escaped, cut at 320 bytes.  The result lives in
 * one of 16 buffers of this thread, taken in turn.
 */
const char *log_quote(const char *s);

/* Log `fatal` and exit 1; the parent starts the process again. */
void
fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The same with CODE_CONF, for what does not go away by trying again: at a
 * start it is the end of the server. */
void fatal_conf(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif

/*
 * log.c - see log.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/code.h"
#include "lib/log.h"

#define LINE_MAX_BYTES 1024
#define QUOTE_BYTES    320
#define QUOTES         16

static const char *process_name = "postern";
static bool stamped, use_syslog, debugging;

void
log_open(const char *process)
{
	process_name = process;
	/* The journal stamps what comes from a service. */
	stamped = getenv("JOURNAL_STREAM") == NULL;
	debugging = getenv("POSTERN_DEBUG") != NULL;
	/* Connected now, because later there may be no /dev/log to see. */
	openlog("postern", LOG_NDELAY | LOG_PID, LOG_MAIL);
}

void
log_to_syslog(bool on)
{
	use_syslog = on;
}

const char *
log_process(void)
{
	return process_name;
}

static size_t
stamp(char *line, size_t size)
{
	static _Thread_local time_t second;
	static _Thread_local char text[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	}
	return (size_t)snprintf(
	    line, size, "%s.%03ldZ ", text, now.tv_nsec / 1000000);
}

static void write_line(const char *event, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
write_line(const char *event, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t n = 0;
	int k;

	if (stamped && !use_syslog)
		n = stamp(line, sizeof(line));
	n += (size_t)snprintf(line + n, sizeof(line) - n, "%s ", event);
	k = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (k > 0)
		n += (size_t)k;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	if (use_syslog) {
		line[n] = '\0';
		syslog(LOG_INFO, "%s", line);
		return;
	}
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) == -1)
		return; /* nobody is left to tell */
}

void
log_event(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(event, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *event, const char *fmt, ...)
{
	va_list ap;

	if (!debugging)
		return;
	va_start(ap, fmt);
	write_line(event, fmt, ap);
	va_end(ap);
}

/* Bytes of the well-formed UTF-8 sequence at s, or 0. */
static size_t
utf8_bytes(const unsigned char *s)
{
	size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4
	    : s[0] >= 0xe0 && s[0] < 0xf0      ? 3
	    : s[0] >= 0xc2 && s[0] < 0xe0      ? 2
					       : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* C1 controls are U+0080 to U+009F. */
	if (n == 2 && s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	return n;
}

const char *
log_quote(const char *str)
{
	static _Thread_local char ring[QUOTES][QUOTE_BYTES];
	static _Thread_local unsigned turn;
	const unsigned char *s = (const unsigned char *)(str ? str : "");
	char *out = ring[turn++ % QUOTES];
	size_t n = 0, k;

	out[n++] = '"';
	while (*s != '\0' && n < QUOTE_BYTES - 8) {
		if (*s == '"' || *s == '\\') {
			out[n++] = '\\';
			out[n++] = (char)*s++;
		} else if (*s >= 0x20 && *s < 0x7f) {
			out[n++] = (char)*s++;
		} else if ((k = utf8_bytes(s)) > 0) {
			memcpy(out + n, s, k);
			n += k;
			s += k;
		} else {
			n += (size_t)snprintf(
			    out + n, QUOTE_BYTES - n, "\\x%02x", *s++);
		}
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

static void die(int status, const char *fmt, va_list ap)
    __attribute__((noreturn, format(printf, 2, 0)));

static void
die(int status, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	log_event(
	    "fatal", "process=%s error=%s", process_name, log_quote(text));
	exit(status);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(1, fmt, ap);
}

void
fatal_conf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die(CODE_CONF, fmt, ap);
}

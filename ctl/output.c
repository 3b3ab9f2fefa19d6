/*
 * output.c - see output.h.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <time.h>
#include <unistd.h>

#include "ctl/output.h"
#include "ctl/text.h"
#include "mail/date.h"

/* Rows that are looked at before the widths of a table are settled. */
#define ROWS_HELD 500
#define CELL_MAX  1200
/* On a terminal too narrow the last column keeps so much, and lines wrap. */
#define LAST_LEAST 11

struct output_row {
	struct output_row *next;
	char *cells[];
};

void
output_init(struct output *o, enum output_mode mode, bool no_color)
{
	const char *term = getenv("TERM"), *never = getenv("NO_COLOR");

	memset(o, 0, sizeof(*o));
	o->mode = mode;
	o->color = !no_color && mode == OUTPUT_HUMAN && isatty(1) &&
	    (never == NULL || *never == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

static void *
need(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

json_t *
output_string(const char *s)
{
	char clean[CELL_MAX];
	json_t *j = json_string(s);

	return j != NULL
	    ? j
	    : need(json_string(text_clean(clean, sizeof(clean), s)));
}

json_t *
output_time(uint64_t seconds)
{
	char date[DATE_MAX];

	if (seconds == 0)
		return json_null();
	date_rfc3339((time_t)seconds, date);
	return need(json_string(date));
}

static json_t *
as_json(enum cell_kind kind, const struct cell *c)
{
	switch (kind) {
	case CELL_TEXT:
		return output_string(c->text);
	case CELL_NUMBER:
	case CELL_LIMIT:
	case CELL_SIZE:
		return need(json_integer((json_int_t)c->n));
	case CELL_SECONDS:
		return output_time(c->n);
	case CELL_MILLIS:
	case CELL_AGE:
	case CELL_UNTIL:
		return output_time(c->n / 1000);
	case CELL_BOOL:
		return json_boolean(c->n != 0);
	}
	abort();
}

json_t *
output_object(const struct column *col, size_t n, const struct cell *cells)
{
	json_t *o = need(json_object());

	for (size_t i = 0; i < n; i++)
		if (json_object_set_new(
			o, col[i].key, as_json(col[i].kind, &cells[i])) != 0)
			abort();
	return o;
}

void
output_document(json_t *j)
{
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

/* A cell as one field of a line for programs. */
static void
as_plain(enum cell_kind kind, const struct cell *c, char out[CELL_MAX])
{
	uint64_t seconds = kind == CELL_SECONDS ? c->n : c->n / 1000;

	switch (kind) {
	case CELL_TEXT:
		text_clean(out, CELL_MAX, c->text);
		break;
	case CELL_NUMBER:
	case CELL_LIMIT:
	case CELL_SIZE:
		snprintf(out, CELL_MAX, "%" PRIu64, c->n);
		break;
	case CELL_SECONDS:
	case CELL_MILLIS:
	case CELL_AGE:
	case CELL_UNTIL:
		out[0] = '\0';
		if (seconds != 0)
			date_rfc3339((time_t)seconds, out);
		break;
	case CELL_BOOL:
		snprintf(out, CELL_MAX, "%s", c->n != 0 ? "yes" : "no");
		break;
	}
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
as_text(enum cell_kind kind, const struct cell *c, char out[CELL_MAX])
{
	uint64_t now = now_ms();

	switch (kind) {
	case CELL_TEXT:
		text_clean(out, CELL_MAX, c->text);
		break;
	case CELL_NUMBER:
		snprintf(out, CELL_MAX, "%" PRIu64, c->n);
		break;
	case CELL_LIMIT:
		if (c->n == 0)
			snprintf(out, CELL_MAX, "any");
		else
			snprintf(out, CELL_MAX, "%" PRIu64, c->n);
		break;
	case CELL_SIZE:
		text_size(out, c->n);
		break;
	case CELL_SECONDS:
		text_time(out, c->n);
		break;
	case CELL_MILLIS:
		text_time(out, c->n / 1000);
		break;
	case CELL_AGE:
		text_span(out, now > c->n ? (now - c->n) / 1000 : 0);
		break;
	case CELL_UNTIL:
		if (c->n == 0)
			out[0] = '\0';
		else if (c->n < now + 1000)
			snprintf(out, CELL_MAX, "now");
		else
			text_span(out, (c->n - now) / 1000);
		break;
	case CELL_BOOL:
		snprintf(out, CELL_MAX, "%s", c->n != 0 ? "yes" : "no");
		break;
	}
}

static bool
right_aligned(enum cell_kind kind)
{
	return kind == CELL_NUMBER || kind == CELL_LIMIT || kind == CELL_SIZE;
}

static size_t
terminal_width(void)
{
	struct winsize w;

	if (!isatty(1))
		return SIZE_MAX;
	if (ioctl(1, TIOCGWINSZ, &w) == -1 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

/* Print one line of a table; the last column takes what room there is. */
static void
put_line(const struct output *o, char *const *cells)
{
	size_t at = 0, last = 0, room = terminal_width();

	for (size_t i = 0; i < o->ncolumns; i++)
		if (o->columns[i].heading != NULL)
			last = i;
	for (size_t i = 0; i <= last; i++) {
		size_t width, pad;

		if (o->columns[i].heading == NULL)
			continue;
		if (i == last && room != SIZE_MAX &&
		    o->columns[i].kind == CELL_TEXT)
			text_cut(cells[i],
			    room > at + LAST_LEAST ? room - at : LAST_LEAST);
		width = text_width(cells[i]);
		pad = o->width[i] > width ? o->width[i] - width : 0;
		if (right_aligned(o->columns[i].kind))
			printf("%*s%s", (int)pad, "", cells[i]);
		else
			printf("%s%*s", cells[i], i == last ? 0 : (int)pad, "");
		if (i != last)
			printf("  ");
		at += MAX(o->width[i], width) + 2;
	}
	putchar('\n');
}

static void
put_headings(const struct output *o)
{
	char *cells[OUTPUT_COLUMNS];

	for (size_t i = 0; i < o->ncolumns; i++)
		cells[i] = need(
		    strdup(o->columns[i].heading != NULL ? o->columns[i].heading
							 : ""));
	printf("%s", output_on(o, TONE_QUIET));
	put_line(o, cells);
	printf("%s", output_off(o));
	for (size_t i = 0; i < o->ncolumns; i++)
		free(cells[i]);
}

/* Let the rows go that were held back. */
static void
release(struct output *o)
{
	struct output_row *r;

	if (!o->sized && o->rows != NULL)
		put_headings(o);
	o->sized = true;
	while ((r = o->rows) != NULL) {
		o->rows = r->next;
		put_line(o, r->cells);
		for (size_t i = 0; i < o->ncolumns; i++)
			free(r->cells[i]);
		free(r);
	}
	o->last_row = NULL;
	o->nrows = 0;
}

static void
hold(struct output *o, const struct cell *cells)
{
	struct output_row *r =
	    need(calloc(1, sizeof(*r) + o->ncolumns * sizeof(r->cells[0])));
	char text[CELL_MAX];

	for (size_t i = 0; i < o->ncolumns; i++) {
		as_text(o->columns[i].kind, &cells[i], text);
		r->cells[i] = need(strdup(text));
		if (!o->sized)
			o->width[i] = MAX(o->width[i], text_width(text));
	}
	if (o->last_row != NULL)
		o->last_row->next = r;
	else
		o->rows = r;
	o->last_row = r;
	if (++o->nrows >= ROWS_HELD || o->sized)
		release(o);
}

void
output_begin(struct output *o, const struct column *columns, size_t n)
{
	assert(n <= OUTPUT_COLUMNS && o->rows == NULL);
	o->columns = columns;
	o->ncolumns = n;
	o->sized = false;
	for (size_t i = 0; i < n; i++)
		o->width[i] = columns[i].heading != NULL
		    ? text_width(columns[i].heading)
		    : 0;
}

void
output_row(struct output *o, const struct cell *cells)
{
	char text[CELL_MAX];

	switch (o->mode) {
	case OUTPUT_JSON:
		output_document(output_object(o->columns, o->ncolumns, cells));
		break;
	case OUTPUT_PLAIN:
		for (size_t i = 0; i < o->ncolumns; i++) {
			as_plain(o->columns[i].kind, &cells[i], text);
			printf("%s%s", i > 0 ? "\t" : "", text);
		}
		putchar('\n');
		break;
	case OUTPUT_HUMAN:
		hold(o, cells);
		break;
	}
}

void
output_end(struct output *o, const char *empty)
{
	if (o->mode == OUTPUT_HUMAN && empty != NULL && !o->sized &&
	    o->rows == NULL)
		output_note("%s", empty);
	release(o);
}

void
output_field(const struct output *o, const char *key, const char *fmt, ...)
{
	char value[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (value[0] == '\0')
		return;
	if (o->mode == OUTPUT_PLAIN)
		printf("%s\t%s\n", key, value);
	else
		printf("%s%-11s%s %s\n", output_on(o, TONE_QUIET), key,
		    output_off(o), value);
}

const char *
output_on(const struct output *o, enum tone tone)
{
	static const char *const codes[] = {
		[TONE_GOOD] = "\033[32m",
		[TONE_BAD] = "\033[1;31m",
		[TONE_QUIET] = "\033[2m",
	};

	return o->color ? codes[tone] : "";
}

const char *
output_off(const struct output *o)
{
	return o->color ? "\033[0m" : "";
}

int
output_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("postern: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

void
output_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

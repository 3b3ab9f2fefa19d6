/*
 * output.h - what a command says: its result on stdout, everything else on
 * stderr.
 *
 * The result is for people (tables, pages), or with --json for programs: one
 * object a line for lists, one document for everything else, or with --plain
 * one line of fields separated by tabs.  A command fills cells and does not
 * ask which it is.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output_mode { OUTPUT_HUMAN, OUTPUT_JSON, OUTPUT_PLAIN };

/* What a cell holds, so how it is shown. */
enum cell_kind {
	CELL_TEXT,
	CELL_NUMBER,
	CELL_LIMIT,   /* a number at most; 0 any */
	CELL_SIZE,    /* bytes */
	CELL_SECONDS, /* a time; RFC 3339 for programs, null for 0 */
	CELL_MILLIS,  /* the same in unix milliseconds */
	CELL_AGE,     /* a time in milliseconds, shown as the time since */
	CELL_UNTIL,   /* a time in milliseconds, shown as the time until */
	CELL_BOOL,
};

struct column {
	const char *key;     /* for programs; never changes */
	const char *heading; /* for people; NULL: they do not see it */
	enum cell_kind kind;
};

/* text for CELL_TEXT (borrowed, any bytes), n for all else. */
struct cell {
	const char *text;
	uint64_t n;
};

#define OUTPUT_COLUMNS 24

struct output_row;

struct output {
	enum output_mode mode;
	bool color;
	/* A table under way. */
	const struct column *columns;
	size_t ncolumns;
	struct output_row *rows, *last_row;
	size_t nrows;
	size_t width[OUTPUT_COLUMNS];
	bool sized; /* headings are out, widths stay */
};

void output_init(struct output *, enum output_mode, bool no_color);

/*
 * A list: rows between begin and end.  Rows for people are held back, up to
 * a bound, until the widths are known.
 *
 *   empty  what people are told, on stderr, about a list without rows, which
 *          prints nothing; NULL: nothing
 */
void output_begin(struct output *, const struct column *, size_t ncolumns);
void output_row(struct output *, const struct cell *);
void output_end(struct output *, const char *empty);

/* The same row as a JSON object, for a document that holds more. */
json_t *
output_object(const struct column *, size_t ncolumns, const struct cell *);
/* Print a document (takes the reference) with --json. */
void output_document(json_t *);
/* A JSON string of any bytes: what is not UTF-8 is escaped as text_clean()
 * does. */
json_t *output_string(const char *);
/* RFC 3339, or null for 0. */
json_t *output_time(uint64_t unix_seconds);

/* One "key   value" line of a page for people; nothing when value is "". */
void output_field(const struct output *, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

enum tone { TONE_GOOD, TONE_BAD, TONE_QUIET };
/* Escape sequences around something in colour; "" when there is no colour. */
const char *output_on(const struct output *, enum tone);
const char *output_off(const struct output *);

/* stderr: "postern: ..."; returns code, so that a handler can end with it. */
int output_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* stderr: a line as it is. */
void output_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

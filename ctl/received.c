/*
 * received.c - see received.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/received.h"

#define FIELD_MAX 1000

/* The text of a field from `at` on, on one line, without quote marks. */
static void
unfold(const char *at, const char *end, char out[FIELD_MAX])
{
	size_t n = 0;
	bool first = true;

	while (at < end && n < FIELD_MAX - 2) {
		const char *line = at,
			   *stop = memchr(at, '\n', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		while (line < stop && (*line == '>' || *line == '|'))
			line++;
		/* A quoted line has a blank behind its mark, and a folded one
		 * another. */
		if (!first && line != at && line < stop && *line == ' ')
			line++;
		if (!first && (line == stop || !isblank((unsigned char)*line)))
			break;
		for (; line < stop && n < FIELD_MAX - 2; line++)
			if (*line != '\r')
				out[n++] = *line;
		out[n++] = ' ';
		first = false;
		at = stop < end ? stop + 1 : end;
	}
	out[n] = '\0';
}

static bool
read_field(const char *field, struct received_line *l)
{
	const char *by = strstr(field, "by "), *id, *end;
	char name[MSGID_SIZE];

	if (by == NULL || strstr(field, "(postern)") == NULL ||
	    (id = strstr(field, " id ")) == NULL)
		return false;
	snprintf(
	    l->by, sizeof(l->by), "%.*s", (int)strcspn(by + 3, " "), by + 3);
	id += 4;
	end = id + strcspn(id, "; ");
	l->tag[0] = '\0';
	snprintf(name, sizeof(name), "%.*s", (int)(end - id), id);
	if ((size_t)(end - id) == 2 * MSGID_SIZE - 1 && id[13] == '-')
		snprintf(l->tag, sizeof(l->tag), "%.13s", id + 14);
	return msgid_parse(name, &l->id);
}

size_t
received_read(
    const char *text, size_t len, struct received_line out[RECEIVED_MOST])
{
	static const char name[] = "Received:";
	const char *end = text + len;
	char field[FIELD_MAX];
	size_t n = 0;

	for (const char *at = text;
	     n < RECEIVED_MOST && (size_t)(end - at) > sizeof(name); at++) {
		if (strncasecmp(at, name, sizeof(name) - 1) != 0)
			continue;
		unfold(at, end, field);
		if (read_field(field, &out[n]))
			n++;
	}
	return n;
}

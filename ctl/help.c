/*
 * help.c - see help.h.
 */
#include <string.h>

#include "ctl/commands.h"
#include "ctl/help.h"

#define COLUMNS 78

/* Flags that are no help to anybody who types. */
static bool
hidden(const struct flag *f)
{
	return strcmp(f->name, "mdoc") == 0;
}

static void
name(FILE *f, const struct command *c)
{
	fprintf(f, "%s%s%s", c->noun, c->verb != NULL ? " " : "",
	    c->verb != NULL ? c->verb : "");
}

/* One more part of a usage line, which breaks in front of flags. */
static size_t
usage_part(FILE *f, size_t at, const char *part)
{
	if (at + 1 + strlen(part) > COLUMNS)
		return (size_t)fprintf(f, "\n            %s", part) - 1;
	return at + (size_t)fprintf(f, " %s", part);
}

void
help_usage(FILE *f, const struct command *c)
{
	size_t at = strlen("usage: postern");
	char part[100];

	fputs("usage: postern", f);
	at = usage_part(f, at, c->noun);
	if (c->verb != NULL)
		at = usage_part(f, at, c->verb);
	if (*c->words != '\0')
		at = usage_part(f, at, c->words);
	for (const struct flag *o = c->flags; o->name != NULL; o++) {
		if (hidden(o))
			continue;
		snprintf(part, sizeof(part), "[--%s%s%s]", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		at = usage_part(f, at, part);
	}
	fputc('\n', f);
}

/* Paragraphs, with their lines broken. */
static void
fill(FILE *f, const char *text, size_t indent)
{
	size_t at = 0, n;

	while (*text != '\0') {
		n = strcspn(text, " \n");
		if (at > 0 && at + 1 + n > COLUMNS) {
			fputc('\n', f);
			at = 0;
		}
		at += (size_t)(at == 0 ? fprintf(f, "%*s", (int)indent, "")
				       : fprintf(f, " "));
		at += fwrite(text, 1, n, f);
		text += n;
		if (strncmp(text, "\n\n", 2) == 0 && text[2] != '\0') {
			fputs("\n\n", f);
			at = 0;
		}
		text += strspn(text, " \n");
	}
	fputc('\n', f);
}

static void
flags(FILE *f, const struct flag *list)
{
	for (const struct flag *o = list; o->name != NULL; o++) {
		int n;

		if (hidden(o))
			continue;
		n = fprintf(f, "  --%s%s%s", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(f, "%*s%s\n", n < 24 ? 24 - n : 1, "", o->help);
	}
}

static void
summary(FILE *f, const struct command *c)
{
	int n = fprintf(f, "  %s%s%s%s%s", c->noun, c->verb != NULL ? " " : "",
	    c->verb != NULL ? c->verb : "", *c->words != '\0' ? " " : "",
	    c->words);

	if (n > 32)
		n = fprintf(f, "\n") - 1;
	fprintf(f, "%*s%s\n", 33 - n, "", c->summary);
}

static void
print_command(FILE *f, const struct command *c)
{
	name(f, c);
	fprintf(f, " - %s\n\n", c->summary);
	help_usage(f, c);
	if (c->details != NULL) {
		fputc('\n', f);
		fill(f, c->details, 0);
	}
	if (c->flags->name != NULL && !hidden(c->flags)) {
		fputs("\nflags:\n", f);
		flags(f, c->flags);
	}
	fputs("\nflags of every command:\n", f);
	flags(f, common_flags);
}

void
help_print(FILE *f, const char *noun, const struct command *c)
{
	const char *last = NULL;

	if (c != NULL) {
		print_command(f, c);
		return;
	}
	if (noun == NULL)
		fputs("postern - mail goes out only for someone who has an "
		      "account\n\nusage: postern NOUN VERB [ARGUMENT...] "
		      "[--flag...]\n",
		    f);
	for (c = commands; c->noun != NULL; c++) {
		if (noun != NULL && strcmp(c->noun, noun) != 0)
			continue;
		/* A line between groups; commands of one word are a group. */
		if (noun == NULL &&
		    (last == NULL ||
			strcmp(last, c->verb != NULL ? c->noun : "") != 0))
			fputc('\n', f);
		last = c->verb != NULL ? c->noun : "";
		summary(f, c);
	}
	fputs("\nflags of every command:\n", f);
	flags(f, common_flags);
	if (noun == NULL)
		fputs("\nMore about one of them: postern help COMMAND.  Set up "
		      "a server: postern help first-mail.\n",
		    f);
}

/* One word with the marks that mdoc wants; how many bytes were written. */
static size_t
mdoc_word(FILE *f, const char *word, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (word[i] == '-' && i + 1 < n && word[i + 1] == '-') {
			at += (size_t)fprintf(f, "\\-\\-");
			i++;
		} else if (word[i] == '"') {
			at += (size_t)fprintf(f, i == 0 ? "\\(lq" : "\\(rq");
		} else {
			at += fwrite(&word[i], 1, 1, f);
		}
	}
	return at;
}

/* Text in lines that fit; a new sentence is a new line. */
static void
mdoc_text(FILE *f, const char *text)
{
	size_t at = 0, n;

	while (*text != '\0') {
		n = strcspn(text, " \n");
		if (at > 0 && at + 1 + n > COLUMNS - 6) {
			fputc('\n', f);
			at = 0;
		}
		if (at > 0)
			at += fwrite(" ", 1, 1, f);
		at += mdoc_word(f, text, n);
		text += n;
		if (strncmp(text, "\n\n", 2) == 0 && text[2] != '\0')
			fputs("\n.Pp", f);
		if (*text == '\n' || strncmp(text, "  ", 2) == 0) {
			fputs(text[strspn(text, " \n")] != '\0' ? "\n" : "", f);
			at = 0;
		}
		text += strspn(text, " \n");
	}
	fputc('\n', f);
}

/* A line of the table as a sentence. */
static void
mdoc_sentence(FILE *f, const char *text)
{
	char copy[200];

	size_t n = strlen(text);

	snprintf(copy, sizeof(copy), "%s%s", text,
	    n > 0 && text[n - 1] == '?' ? "" : ".");
	copy[0] = copy[0] >= 'a' && copy[0] <= 'z' ? (char)(copy[0] - 'a' + 'A')
						   : copy[0];
	mdoc_text(f, copy);
}

/* Operands: as lines of their own, or behind ".It" on its line. */
static void
mdoc_words(FILE *f, const char *words, const char *before, const char *after)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " "), len = n;
		const char *p = words;
		bool many, option = *p == '[';

		if (option) {
			p++;
			len -= 2;
		}
		many = len > 3 && strncmp(p + len - 3, "...", 3) == 0;
		if (many)
			len -= 3;
		fprintf(f, "%s%sAr %.*s%s%s", before, option ? "Op " : "",
		    (int)len, p, many ? " ..." : "", after);
		words += n;
		words += strspn(words, " ");
	}
}

void
help_mdoc_synopsis(FILE *f)
{
	for (const struct command *c = commands; c->noun != NULL; c++) {
		fprintf(f, ".Nm\n.Cm ");
		name(f, c);
		fputc('\n', f);
		mdoc_words(f, c->words, ".", "\n");
		for (const struct flag *o = c->flags; o->name != NULL; o++)
			if (!hidden(o))
				fprintf(f, ".Op Fl -%s%s%s\n", o->name,
				    o->value != NULL ? " Ar " : "",
				    o->value != NULL ? o->value : "");
	}
}

static void
mdoc_flags(FILE *f, const struct flag *list)
{
	for (const struct flag *o = list; o->name != NULL; o++) {
		if (hidden(o))
			continue;
		fprintf(f, ".It Fl -%s%s%s\n", o->name,
		    o->value != NULL ? " Ar " : "",
		    o->value != NULL ? o->value : "");
		mdoc_sentence(f, o->help);
	}
}

void
help_mdoc_commands(FILE *f)
{
	fputs(".Bl -tag -width Ds\n", f);
	for (const struct command *c = commands; c->noun != NULL; c++) {
		fputs(".It Cm ", f);
		name(f, c);
		mdoc_words(f, c->words, " ", "");
		fputc('\n', f);
		mdoc_sentence(f, c->summary);
		if (c->details != NULL) {
			fputs(".Pp\n", f);
			mdoc_text(f, c->details);
		}
		if (c->flags->name == NULL || hidden(c->flags))
			continue;
		fputs(".Bl -tag -width Ds\n", f);
		mdoc_flags(f, c->flags);
		fputs(".El\n", f);
	}
	fputs(".El\n.Pp\nFlags of every command:\n.Bl -tag -width Ds\n", f);
	mdoc_flags(f, common_flags);
	fputs(".El\n", f);
}

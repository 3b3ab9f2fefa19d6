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

void
help_usage(FILE *f, const struct command *c)
{
	fputs("postern ", f);
	name(f, c);
	if (*c->words != '\0')
		fprintf(f, " %s", c->words);
	for (const struct flag *o = c->flags; o->name != NULL; o++)
		if (!hidden(o))
			fprintf(f, " [--%s%s%s]", o->name,
			    o->value != NULL ? " " : "",
			    o->value != NULL ? o->value : "");
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

	fprintf(f, "%*s%s\n", n < 33 ? 33 - n : 1, "", c->summary);
}

static void
print_command(FILE *f, const struct command *c)
{
	name(f, c);
	fprintf(f, " - %s\n\nusage: ", c->summary);
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

/* "--" as two minus signs, not as a dash. */
static void
mdoc_text(FILE *f, const char *text)
{
	size_t n;

	while (*text != '\0') {
		/* New sentence, new line; new paragraph, .Pp. */
		if (strncmp(text, "\n\n", 2) == 0) {
			text += 2;
			fputs(*text != '\0' ? "\n.Pp\n" : "", f);
			continue;
		}
		if (strncmp(text, ".  ", 3) == 0) {
			fputs(".\n", f);
			text += 3;
			continue;
		}
		if (strncmp(text, "--", 2) == 0) {
			fputs("\\-\\-", f);
			text += 2;
			continue;
		}
		if (*text == '"' && (n = strcspn(text + 1, "\"")) > 0 &&
		    text[n + 1] == '"') {
			fprintf(f, "\\(lq%.*s\\(rq", (int)n, text + 1);
			text += n + 2;
			continue;
		}
		fputc(*text++, f);
	}
	fputc('\n', f);
}

static void
mdoc_words(FILE *f, const char *words)
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
		fprintf(f, ".%sAr %.*s%s\n", option ? "Op " : "", (int)len, p,
		    many ? " ..." : "");
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
		mdoc_words(f, c->words);
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
		mdoc_text(f, o->help);
	}
}

void
help_mdoc_commands(FILE *f)
{
	fputs(".Bl -tag -width Ds\n", f);
	for (const struct command *c = commands; c->noun != NULL; c++) {
		fputs(".It Cm ", f);
		name(f, c);
		fputc('\n', f);
		mdoc_text(f, c->summary);
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

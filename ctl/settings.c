/*
 * settings.c - see settings.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/settings.h"
#include "ctl/text.h"
#include "lib/code.h"
#include "mail/ascii.h"

void
settings_keep(void *arg, int line, const char *text, const char *hint)
{
	struct settings_errors *e = arg;
	struct settings_error *to;

	if (e->n++ >= SETTINGS_ERRORS)
		return;
	to = &e->list[e->n - 1];
	to->line = line;
	text_clean(to->text, sizeof(to->text), text);
	text_clean(to->hint, sizeof(to->hint), hint);
}

static int
by_line(const void *a, const void *b)
{
	const struct settings_error *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static int
cannot_read(const char *file)
{
	switch (errno) {
	case ENOENT:
		return output_fail(CODE_CONF,
		    "%s: there is no configuration yet; \"postern init\" "
		    "makes one",
		    file);
	case EACCES:
		return output_fail(CODE_DENIED,
		    "%s: permission denied; run it as root, or name another "
		    "file with --config",
		    file);
	case EFBIG:
		return output_fail(CODE_CONF, "%s: over 64 KiB", file);
	default:
		return output_fail(CODE_CONF, "%s: %s", file, strerror(errno));
	}
}

/* The servers that we start have another working directory.  -1 with errno. */
static int
set_file(struct settings *s, const char *file)
{
	char *real = realpath(file, NULL);

	if (real == NULL)
		return -1;
	if (strlen(real) >= sizeof(s->file)) {
		free(real);
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(s->file, sizeof(s->file), "%s", real);
	free(real);
	return 0;
}

int
settings_try(struct settings *s, const char *file, bool files,
    struct settings_errors *errors)
{
	memset(s, 0, sizeof(*s));
	errors->n = 0;
	if (set_file(s, file) == -1)
		return cannot_read(file);
	if (conf_read(s->file, &s->text, &s->len) == -1)
		return cannot_read(s->file);
	s->conf = conf_parse(s->file, s->text, s->len, settings_keep, errors);
	if (s->conf != NULL && files) {
		conf_check_files(s->conf, settings_keep, errors);
		conf_check_state(s->conf, settings_keep, errors);
	}
	if (errors->n == 0)
		return CODE_OK;
	qsort(errors->list,
	    errors->n < SETTINGS_ERRORS ? errors->n : SETTINGS_ERRORS,
	    sizeof(errors->list[0]), by_line);
	return CODE_CONF;
}

void
settings_tell(const char *file, const struct settings_errors *e)
{
	size_t kept = e->n < SETTINGS_ERRORS ? e->n : SETTINGS_ERRORS;

	for (size_t i = 0; i < kept; i++) {
		const struct settings_error *one = &e->list[i];

		if (one->line > 0)
			output_note("%s:%d: %s", file, one->line, one->text);
		else
			output_note("%s: %s", file, one->text);
		if (one->hint[0] != '\0')
			output_note("    %s", one->hint);
	}
	output_note("%zu error%s", e->n, e->n == 1 ? "" : "s");
}

int
settings_load(struct settings *s, const char *file)
{
	struct settings_errors *errors = malloc(sizeof(*errors));
	int code;

	if (errors == NULL)
		abort();
	code = settings_try(s, file, false, errors);
	if (code == CODE_CONF && errors->n > 0)
		settings_tell(s->file, errors);
	free(errors);
	if (code != CODE_OK)
		settings_clear(s);
	return code;
}

bool
settings_salvage(struct settings *s, const char *file, char *why, size_t size)
{
	int errors;

	memset(s, 0, sizeof(*s));
	*why = '\0';
	if (set_file(s, file) == -1 ||
	    conf_read(s->file, &s->text, &s->len) == -1) {
		/* One that is gone, or too long, may have named another place
		 * than the usual one, where another server may be. */
		if (errno != EACCES || strcmp(file, CONF_DEFAULT_FILE) != 0)
			return false;
		snprintf(why, size, "cannot be read: %s", strerror(errno));
		snprintf(s->file, sizeof(s->file), "%s", file);
		s->text = calloc(1, 1);
		if (s->text == NULL)
			abort();
		s->len = 0;
		s->conf = conf_salvage(file, "", 0, &errors);
		s->conf->tls_doubtful = true;
		return true;
	}
	s->conf = conf_salvage(s->file, s->text, s->len, &errors);
	if (errors == 0)
		return true;
	snprintf(why, size, "has %d error%s", errors, errors == 1 ? "" : "s");
	if (*s->conf->run != '\0')
		return true;
	settings_clear(s);
	return false;
}

void
settings_clear(struct settings *s)
{
	conf_free(s->conf);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

static const char *
trim(const char *p, size_t *n)
{
	while (*n > 0 && ascii_blank(*p)) {
		p++;
		--*n;
	}
	while (*n > 0 && (ascii_blank(p[*n - 1]) || p[*n - 1] == '\r'))
		--*n;
	return p;
}

static bool
same(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(p, word, n) == 0;
}

/* Is this "[listen  x]" the section "listen x"? */
static bool
in_section(const char *line, size_t n, const char *section)
{
	const char *close = memrchr(line, ']', n), *space;
	size_t len, first;

	if (close == NULL)
		return false;
	len = (size_t)(close - line - 1);
	line = trim(line + 1, &len);
	space = strchr(section, ' ');
	if (space == NULL)
		return same(line, len, section);
	first = (size_t)(space - section);
	if (len <= first || memcmp(line, section, first) != 0 ||
	    !ascii_blank(line[first]))
		return false;
	len -= first;
	line = trim(line + first, &len);
	return strlen(space + 1) == len && ascii_same(line, space + 1, len);
}

int
settings_line(const struct settings *s, const char *section, const char *key)
{
	const char *p = s->text, *end = s->text + s->len, *line, *nl, *sign;
	bool inside = *section == '\0';
	size_t n;

	for (int number = 1; p < end; number++, p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		n = (size_t)(nl - p);
		line = trim(p, &n);
		if (n == 0 || *line == '#' || *line == ';')
			continue;
		if (*line == '[') {
			inside = in_section(line, n, section);
			continue;
		}
		for (sign = line; sign < line + n; sign++)
			if (*sign == '=' || *sign == ':')
				break;
		n = (size_t)(sign - line);
		line = trim(line, &n);
		if (inside && same(line, n, key))
			return number;
	}
	return 0;
}

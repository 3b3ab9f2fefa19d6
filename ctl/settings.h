/*
 * settings.h - the configuration, as a command reads it.
 */
#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/conf.h"

struct settings {
	char file[CONF_PATH]; /* absolute */
	char *text;
	size_t len;
	struct conf *conf;
};

/* An error of a configuration, as conf_parse() tells it. */
struct settings_error {
	int line; /* 0: of the whole file */
	char text[400];
	char hint[400];
};

#define SETTINGS_ERRORS 64

struct settings_errors {
	size_t n; /* may be more than are kept */
	struct settings_error list[SETTINGS_ERRORS];
};

/*
 * Read and parse `file`.  CODE_OK with everything set; otherwise the reason
 * is on stderr, with every error of the file, and *s is empty.
 */
int settings_load(struct settings *s, const char *file);

/*
 * The same, but what is wrong with the contents is left in *errors, in the
 * order of the file, and CODE_CONF returned in silence.  files: look also at
 * the files that it names, and whose the stores are.
 */
int settings_try(struct settings *s, const char *file, bool files,
    struct settings_errors *errors);

/* "FILE:LINE: text" and the hint, one below the other, on stderr. */
void settings_tell(const char *file, const struct settings_errors *);

/* A conf_error_fn that keeps errors in a struct settings_errors. */
void settings_keep(void *errors, int line, const char *text, const char *hint);

/*
 * As settings_load(), for a command that needs no more than to find the running
 * server: of a file with errors what can be read of it (conf_salvage()), and
 * the defaults, tls_doubtful, for who may not read the default file.  Silent.
 *
 *   why  out: "", or what is wrong, "has 2 errors"
 *
 * False when it leaves doubt where that server listens; *s is then empty.
 */
bool
settings_salvage(struct settings *s, const char *file, char *why, size_t size);

void settings_clear(struct settings *);

/*
 * The line that sets a key, 0 when it is not in the file.
 *
 *   section  as conf_each() names it: "", "tls", "listen NAME"
 */
int
settings_line(const struct settings *, const char *section, const char *key);

#endif

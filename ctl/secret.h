/*
 * secret.h - passwords: typed, read from stdin, or made.  Never from the
 * command line or the environment, where others can see them.
 */
#ifndef CTL_SECRET_H
#define CTL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;

#define SECRET_MAX 256 /* bytes, with a NUL */

/* 20 characters in groups and a NUL; 99 bits. */
#define SECRET_MADE 24

/*
 * A new password, by the flags --password-stdin and --generate, or typed
 * twice at a terminal.  CODE_OK with a non-empty UTF-8 string in out, which
 * the caller wipes; otherwise the reason is on stderr and out is wiped.
 *
 *   made  set: postern chose it, so it is to be shown
 */
int secret_new(
    const struct ctl *, const char *prompt, char out[SECRET_MAX], bool *made);

/* A password to be tried: --password-stdin, or typed once. */
int secret_ask(const struct ctl *, const char *prompt, char out[SECRET_MAX]);

/* A password that nobody guesses and everybody can read aloud. */
void secret_generate(char out[SECRET_MADE]);

/*
 * The first line of fd, without its end.  False when there is none, or it is
 * longer, or holds a NUL.
 */
bool secret_read_line(int fd, char out[SECRET_MAX]);

#endif

/*
 * secret.c - see secret.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/secret.h"
#include "mail/utf8.h"

#define SHORT 8 /* guessed sooner than slowed down */

bool
secret_read_line(int fd, char out[SECRET_MAX])
{
	size_t n = 0;
	ssize_t k;

	/* One byte at a time: what follows is not ours to take. */
	while ((k = read(fd, out + n, 1)) != 0) {
		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1 || out[n] == '\0' ||
		    (n == SECRET_MAX - 1 && out[n] != '\n'))
			goto bad;
		if (out[n] == '\n')
			break;
		n++;
	}
	if (k == 0 && n == 0)
		goto bad;
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	return true;
bad:
	explicit_bzero(out, SECRET_MAX);
	return false;
}

void
secret_generate(char out[SECRET_MADE])
{
	/* Nothing that looks like something else: no i, l, o, 0, 1. */
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";
	unsigned char byte;
	size_t n = 0;

	while (n < SECRET_MADE - 1) {
		if (n % 6 == 5) {
			out[n++] = '-';
			continue;
		}
		while (getrandom(&byte, 1, 0) != 1)
			;
		byte &= 31;
		if (byte < sizeof(letters) - 1)
			out[n++] = letters[byte];
	}
	out[n] = '\0';
}

static int terminal = -1;
static struct termios with_echo;

/* Ctrl-C at the prompt must not leave a terminal without echo. */
static void
on_interrupt(int sig)
{
	tcsetattr(terminal, TCSANOW, &with_echo);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Ask on the terminal, without echo. */
static bool
prompt_for(const char *prompt, const char *again, char out[SECRET_MAX])
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction old[4], sa = { .sa_handler = on_interrupt };
	struct termios quiet;
	bool ok;

	terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal == -1 || tcgetattr(terminal, &with_echo) == -1)
		return false;
	for (size_t i = 0; i < 4; i++)
		sigaction(signals[i], &sa, &old[i]);
	quiet = with_echo;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	dprintf(terminal, "%s%s: ", prompt, again);
	ok = secret_read_line(terminal, out);
	dprintf(terminal, "\n");
	tcsetattr(terminal, TCSANOW, &with_echo);
	for (size_t i = 0; i < 4; i++)
		sigaction(signals[i], &old[i], NULL);
	close(terminal);
	return ok;
}

static int
refuse(char secret[SECRET_MAX], const char *why)
{
	explicit_bzero(secret, SECRET_MAX);
	return output_fail(CODE_USAGE, "%s", why);
}

/* RFC 4616 2: mail programs send UTF-8, and nothing empty. */
static int
check(char secret[SECRET_MAX])
{
	if (secret[0] == '\0')
		return refuse(secret, "an empty password is none");
	if (!utf8_valid(secret, strlen(secret)))
		return refuse(secret,
		    "the password is not UTF-8, as mail programs send it");
	return CODE_OK;
}

static int
from_stdin(char out[SECRET_MAX])
{
	if (!secret_read_line(STDIN_FILENO, out))
		return refuse(out,
		    "--password-stdin: no password of 1 to 255 bytes on the "
		    "first line of stdin");
	return check(out);
}

static int
typed_twice(const char *prompt, char out[SECRET_MAX])
{
	char second[SECRET_MAX];
	bool same;

	if (!prompt_for(prompt, "", out))
		return refuse(out, "no password was typed");
	if (check(out) != CODE_OK)
		return CODE_USAGE;
	same = prompt_for(prompt, " again", second) && strcmp(out, second) == 0;
	explicit_bzero(second, sizeof(second));
	if (!same)
		return refuse(out, "the two passwords differ");
	return CODE_OK;
}

/* Not refused: it may be somebody's old one, moved here. */
static void
advise(const char *secret)
{
	if (strlen(secret) < SHORT)
		output_note("this password is short, and guessers try such "
			    "first; --generate makes a good one");
}

static int
from_somebody(const struct ctl *c, const char *prompt, char out[SECRET_MAX])
{
	bool from = args_flag(&c->args, "password-stdin") != NULL;
	int code;

	if (!from && !c->may_ask)
		return output_fail(CODE_USAGE,
		    "a password cannot be asked for here: use "
		    "--password-stdin or --generate");
	code = from ? from_stdin(out) : typed_twice(prompt, out);
	if (code == CODE_OK)
		advise(out);
	return code;
}

int
secret_new(
    const struct ctl *c, const char *prompt, char out[SECRET_MAX], bool *made)
{
	bool generate = args_flag(&c->args, "generate") != NULL;

	*made = generate;
	if (!generate)
		return from_somebody(c, prompt, out);
	if (args_flag(&c->args, "password-stdin") != NULL)
		return output_fail(
		    CODE_USAGE, "--generate and --password-stdin: one of them");
	secret_generate(out);
	return CODE_OK;
}

int
secret_ask(const struct ctl *c, const char *prompt, char out[SECRET_MAX])
{
	if (args_flag(&c->args, "password-stdin") != NULL)
		return from_stdin(out);
	if (!c->may_ask)
		return output_fail(CODE_USAGE,
		    "a password cannot be asked for here: use "
		    "--password-stdin");
	if (!prompt_for(prompt, "", out))
		return refuse(out, "no password was typed");
	return check(out);
}

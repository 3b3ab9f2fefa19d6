/*
 * conf_file.c - the configuration's dealings with the machine: the file itself
 * and the files that it names.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A key of [users] that names who a process is. */
struct member {
	const char *key;
	size_t off; /* in struct conf */
	const char *usual;
};

/* clang-format off */
static const struct member members[] = {
	{ "smtpd",   offsetof(struct conf, user_smtpd),   "_postern" },
	{ "auth",    offsetof(struct conf, user_auth),    "_posternauth" },
	{ "queue",   offsetof(struct conf, user_queue),   "_posternq" },
	{ "deliver", offsetof(struct conf, user_deliver), "_posternout" },
	{ "sts",     offsetof(struct conf, user_sts),     "_posternsts" },
};
/* clang-format on */

static const char *
user_of(const struct conf *c, const struct member *m)
{
	return (const char *)c + m->off;
}

int
conf_read(const char *file, char **text, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int saved;

	*text = NULL;
	if (fd == -1)
		return -1;
	*text = malloc(CONF_MAX + 1);
	if (*text == NULL)
		abort();
	for (*len = 0; *len <= CONF_MAX; *len += (size_t)n) {
		n = read(fd, *text + *len, CONF_MAX + 1 - *len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
	}
	saved = *len > CONF_MAX ? EFBIG : n == -1 ? errno : 0;
	close(fd);
	if (saved == 0)
		return 0;
	free(*text);
	*text = NULL;
	errno = saved;
	return -1;
}

/* saved 0: it is there, and empty. */
static const char *
remedy(int saved, const char *what)
{
	if (saved == EACCES)
		return "run it as root";
	if (strncmp(what, "tls.", 4) == 0)
		return saved == 0 ? "put the PEM into it, or name another file"
				  : "run `postern init`, or name a file that "
				    "exists";
	return saved == 0 ? "write the password into its first line"
			  : "name a file that exists";
}

static int
check_file(const char *what, const char *path, bool secret, int line,
    conf_error_fn *error, void *arg)
{
	char text[CONF_PATH + 128], hint[CONF_PATH + 64];
	struct stat st;

	if (stat(path, &st) == -1 || access(path, R_OK) == -1) {
		snprintf(text, sizeof(text), "%s: %s: %s", what, path,
		    strerror(errno));
		error(arg, line, text, remedy(errno, what));
		return 1;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(
		    text, sizeof(text), "%s: %s is not a file", what, path);
		error(arg, line, text, "");
		return 1;
	}
	if (st.st_size == 0) {
		snprintf(text, sizeof(text), "%s: %s is empty", what, path);
		error(arg, line, text, remedy(0, what));
		return 1;
	}
	if (secret && (st.st_mode & (S_IROTH | S_IWOTH))) {
		snprintf(text, sizeof(text),
		    "%s: %s is open to everyone (%04o)", what, path,
		    (unsigned)(st.st_mode & 07777));
		snprintf(hint, sizeof(hint), "chmod 600 %s", path);
		error(arg, line, text, hint);
		return 1;
	}
	return 0;
}

static int
check_user(const struct conf *c, const struct member *m, conf_error_fn *error,
    void *arg)
{
	const char *name = user_of(c, m);
	int line = conf_line(c, "users", m->key);
	const struct passwd *pw = *name != '\0' ? getpwnam(name) : NULL;
	char text[200];

	if (pw != NULL && pw->pw_uid != 0)
		return 0;
	if (pw != NULL || *name == '\0') {
		snprintf(text, sizeof(text), "users.%s: %s", m->key,
		    pw != NULL ? "root has too many rights for it"
			       : "no user is named");
		error(arg, line, text,
		    "name a user of its own, or remove the key");
		return 1;
	}
	snprintf(text, sizeof(text), "users.%s: there is no user %.100s",
	    m->key, name);
	error(arg, line, text, "run `postern init`, which makes it");
	return 1;
}

/* Two processes of one user may look into each other's memory. */
static int
check_shared(const struct conf *c, const struct member *m, conf_error_fn *error,
    void *arg)
{
	const struct passwd *pw;
	char text[256], hint[256];
	uid_t uid;

	if ((pw = getpwnam(user_of(c, m))) == NULL || (uid = pw->pw_uid) == 0)
		return 0;
	for (const struct member *o = members; o < m; o++) {
		if ((pw = getpwnam(user_of(c, o))) == NULL || pw->pw_uid != uid)
			continue;
		snprintf(text, sizeof(text),
		    "users.%s: %.100s is the user of %s already", m->key,
		    user_of(c, m), o->key);
		snprintf(hint, sizeof(hint),
		    "a process that falls must not reach another: name a user "
		    "of its own, or remove the key (then it is %s)",
		    m->usual);
		error(arg,
		    conf_line(c, "users",
			conf_line(c, "users", m->key) != 0 ? m->key : o->key),
		    text, hint);
		return 1;
	}
	return 0;
}

/* Only root becomes somebody else. */
static int
check_users(const struct conf *c, conf_error_fn *error, void *arg)
{
	int bad = 0;

	if (geteuid() != 0)
		return 0;
	for (size_t i = 0; i < COUNT(members); i++) {
		bad += check_user(c, &members[i], error, arg);
		bad += check_shared(c, &members[i], error, arg);
	}
	return bad;
}

int
conf_check_tls(const struct conf *c, conf_error_fn *error, void *arg)
{
	int bad = 0;

	for (const struct conf_tls *t = c->tls; t < c->tls + c->ntls; t++) {
		bool plain = t == c->tls;

		bad += check_file("tls.certificate", t->certificate, false,
		    plain ? conf_line(c, "tls", "certificate") : t->line, error,
		    arg);
		bad += check_file("tls.key", t->key, true,
		    plain ? conf_line(c, "tls", "key") : t->line, error, arg);
	}
	return bad;
}

int
conf_check_files(const struct conf *c, conf_error_fn *error, void *arg)
{
	int bad = conf_check_tls(c, error, arg);

	for (size_t i = 0; i < c->nroutes; i++)
		if (*c->routes[i].password_file != '\0')
			bad += check_file("password-file",
			    c->routes[i].password_file, true, c->routes[i].line,
			    error, arg);
	bad += check_users(c, error, arg);
	if (*c->admin_group != '\0' && getgrnam(c->admin_group) == NULL) {
		error(arg, conf_line(c, "users", "admin-group"),
		    "users.admin-group: there is no such group",
		    "make it with groupadd(8)");
		bad++;
	}
	return bad;
}

static bool
is_ours(const struct net_address *a)
{
	int fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ours =
	    fd != -1 && bind(fd, (const struct sockaddr *)&a->ss, a->len) == 0;

	if (fd != -1)
		close(fd);
	return ours;
}

static int
check_source(const struct conf_route *r, const struct net_address *a,
    conf_error_fn *error, void *arg)
{
	char text[NET_TEXT + 100], address[NET_TEXT];

	if (a->len == 0 || is_ours(a))
		return 0;
	net_text((const struct sockaddr *)&a->ss, address);
	snprintf(text, sizeof(text),
	    "source: %s is not an address of this machine", address);
	error(arg, r->line, text,
	    "`ip address` lists those it has; mail of this route waits");
	return 1;
}

int
conf_check_sources(const struct conf *c, conf_error_fn *error, void *arg)
{
	int bad = 0;

	for (size_t i = 0; i < c->nroutes; i++) {
		const struct conf_route *r = &c->routes[i];

		bad += check_source(r, &r->source4, error, arg);
		bad += check_source(r, &r->source6, error, arg);
	}
	return bad;
}

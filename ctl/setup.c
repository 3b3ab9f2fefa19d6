/*
 * setup.c - see setup.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/certificate.h"
#include "ctl/output.h"
#include "ctl/setup.h"
#include "lib/code.h"

#define NOBODY ((uid_t)-1) /* keep the owner */

static void
did(struct setup *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
did(struct setup *s, const char *fmt, ...)
{
	char line[CONF_PATH + 200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	json_array_append_new(s->made, output_string(line));
}

static int
failed(const char *path)
{
	if (errno == EACCES || errno == EPERM)
		return output_fail(CODE_DENIED,
		    "%s: %s; run it as root, or with a configuration of your "
		    "own: --config FILE",
		    path, strerror(errno));
	return output_fail(CODE_TEMP, "%s: %s", path, strerror(errno));
}

static void
name_of(uid_t uid, char *out, size_t size)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(out, size, "%s", pw->pw_name);
	else
		snprintf(out, size, "%u", (unsigned)uid);
}

/* The directory that a file is in. */
static void
directory_of(const char *file, char out[CONF_PATH])
{
	char copy[CONF_PATH];

	snprintf(copy, sizeof(copy), "%s", file);
	snprintf(out, CONF_PATH, "%s", dirname(copy));
}

static bool
ours(const char *directory)
{
	struct stat st;

	return stat(directory, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == geteuid();
}

/* Run a program and wait; its exit status, -1 when there is none. */
static int
run_program(const char *const *argv)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(2, 1); /* stdout is for results */
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return pid != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
make_user(struct setup *s, const char *name)
{
	bool group = getgrnam(name) != NULL;
	const char *const argv[] = { "useradd", "--system", "--no-create-home",
		"--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin",
		group ? "--gid" : "--user-group", group ? name : "--", name,
		NULL };

	/* Without a group of that name the "--" only ends the options.  Another
	 * init may have made the user in this very moment. */
	if (!s->dry && run_program(argv) != 0 && getpwnam(name) == NULL)
		return output_fail(CODE_TEMP,
		    "cannot make the user %s with useradd(8); make it by "
		    "hand, without a home and a login shell",
		    name);
	return CODE_OK;
}

/* With --dry-run a user that several processes share is still missing. */
static bool
named_before(const char *const *names, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(names[k], names[i]) == 0)
			return true;
	return false;
}

int
setup_users(struct setup *s)
{
	const char *const names[] = { s->conf->user_smtpd, s->conf->user_auth,
		s->conf->user_queue, s->conf->user_deliver, s->conf->user_sts };
	char made[300] = "";
	size_t n = 0;
	int code;

	for (size_t i = 0; s->root && i < sizeof(names) / sizeof(*names); i++) {
		if (*names[i] == '\0' || getpwnam(names[i]) != NULL ||
		    named_before(names, i))
			continue;
		if ((code = make_user(s, names[i])) != CODE_OK)
			return code;
		n += (size_t)snprintf(made + n, sizeof(made) - n, "%s%s",
		    n > 0 ? " " : "", names[i]);
	}
	if (n > 0)
		did(s, "users %s", made);
	return CODE_OK;
}

/* All directories above `path`. */
static int
make_parents(const char *path)
{
	char part[CONF_PATH + 16], *slash;

	snprintf(part, sizeof(part), "%s", path);
	for (slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return failed(part);
		*slash = '/';
	}
	return CODE_OK;
}

/* A server of somebody else, which would not find its way in any more. */
static int
foreign(const char *path, uid_t theirs, uid_t uid)
{
	char owner[64], wanted[64];

	name_of(theirs, owner, sizeof(owner));
	name_of(uid, wanted, sizeof(wanted));
	return output_fail(CODE_DENIED,
	    "%s belongs to %s, whose server it may be: run this as %s, or give "
	    "it away with chown -R %s %s",
	    path, owner, owner, wanted, path);
}

/* Give an existing directory the owner and the mode it should have. */
static int
correct(struct setup *s, const char *path, uid_t uid, mode_t mode, bool made)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int code = CODE_OK;

	if (fd == -1 || fstat(fd, &st) == -1) {
		code = failed(path);
	} else if (s->root && st.st_uid != 0 && st.st_uid != uid) {
		code = foreign(path, st.st_uid, uid);
	} else if ((uid != NOBODY && st.st_uid != uid) ||
	    (st.st_mode & 07777) != mode) {
		if (!made)
			did(s, "owner and mode %04o of %s", (unsigned)mode,
			    path);
		if (!s->dry &&
		    ((uid != NOBODY && fchown(fd, uid, (gid_t)-1) == -1) ||
			fchmod(fd, mode) == -1))
			code = failed(path);
	}
	if (fd != -1)
		close(fd);
	return code;
}

enum strictness { AS_IT_IS, CORRECT };

/*
 * One directory.  *made is set when it was missing.
 *
 *   user  who owns it; NULL: whoever runs this
 */
static int
make_directory(struct setup *s, const char *path, const char *user, mode_t mode,
    enum strictness strict, bool *made)
{
	const struct passwd *pw =
	    s->root && user != NULL ? getpwnam(user) : NULL;
	uid_t uid = pw != NULL ? pw->pw_uid : s->root ? 0 : NOBODY;
	struct stat st;
	int code;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return output_fail(
			    CODE_CONF, "%s is not a directory", path);
		return strict == CORRECT ? correct(s, path, uid, mode, false)
					 : CODE_OK;
	}
	*made = true;
	if (s->dry)
		return CODE_OK;
	if ((code = make_parents(path)) != CODE_OK)
		return code;
	if (mkdir(path, mode) == -1 && errno != EEXIST)
		return failed(path);
	return correct(s, path, uid, mode, true);
}

/* Members of the admin group read the configuration to find the socket. */
static int
open_to_admins(struct setup *s, const char *directory)
{
	const struct group *gr = s->root && *s->conf->admin_group != '\0'
	    ? getgrnam(s->conf->admin_group)
	    : NULL;
	struct stat st;

	if (gr == NULL || strcmp(directory, "/etc/postern") != 0 ||
	    stat(directory, &st) == -1 || st.st_gid == gr->gr_gid)
		return CODE_OK;
	did(s, "%s readable for group %s", directory, gr->gr_name);
	if (!s->dry && chown(directory, (uid_t)-1, gr->gr_gid) == -1)
		return failed(directory);
	return CODE_OK;
}

int
setup_directories(struct setup *s)
{
	const struct conf *c = s->conf;
	mode_t open_mode = s->root ? 0755 : 0700;
	char auth[CONF_PATH + 8], queue[CONF_PATH + 8], empty[CONF_PATH + 8];
	char etc[CONF_PATH];
	const struct {
		const char *path, *user;
		mode_t mode;
		enum strictness strict;
	} wanted[] = {
		{ etc, NULL, s->root ? 0750 : 0700, AS_IT_IS },
		{ c->state, NULL, open_mode, AS_IT_IS },
		{ auth, c->user_auth, 0700, CORRECT },
		{ queue, c->user_queue, 0700, CORRECT },
		{ c->run, NULL, open_mode, AS_IT_IS },
		{ empty, NULL, open_mode, CORRECT },
	};
	bool made[6] = { false };
	int code;

	snprintf(auth, sizeof(auth), "%s/auth", c->state);
	snprintf(queue, sizeof(queue), "%s/queue", c->state);
	snprintf(empty, sizeof(empty), "%s/empty", c->run);
	directory_of(c->file, etc);
	for (size_t i = 0; i < 6; i++) {
		code = make_directory(s, wanted[i].path, wanted[i].user,
		    wanted[i].mode, wanted[i].strict, &made[i]);
		if (code != CODE_OK)
			return code;
	}
	if (made[0])
		did(s, "directory %s", etc);
	if (made[1] || made[2] || made[3])
		did(s, "directory %s", c->state);
	if (made[4] || made[5])
		did(s, "directory %s", c->run);
	return open_to_admins(s, etc);
}

/* May a certificate be put there: beside the configuration, in our state, or
 * in any directory that is there and ours? */
static int
certificate_directory(struct setup *s, const char *file, bool *may)
{
	char directory[CONF_PATH], tls[CONF_PATH + 8], etc[CONF_PATH];
	bool made = false;

	directory_of(file, directory);
	directory_of(s->conf->file, etc);
	snprintf(tls, sizeof(tls), "%s/tls", s->conf->state);
	*may = true;
	if (strcmp(directory, tls) == 0)
		return make_directory(s, tls, NULL, 0700, AS_IT_IS, &made);
	*may = ours(directory) || (s->dry && strcmp(directory, etc) == 0);
	return CODE_OK;
}

int
setup_certificate(struct setup *s)
{
	const struct conf *c = s->conf;
	bool has_certificate = access(c->tls[0].certificate, F_OK) == 0;
	bool has_key = access(c->tls[0].key, F_OK) == 0;
	bool may, may_key;
	char err[CERTIFICATE_ERROR];
	int code;

	if (has_certificate && has_key)
		return CODE_OK;
	if (has_certificate || has_key)
		return output_fail(CODE_CONF,
		    "%s is there, but %s is not: bring it back, or move the "
		    "other away and run this again",
		    has_certificate ? c->tls[0].certificate : c->tls[0].key,
		    has_certificate ? c->tls[0].key : c->tls[0].certificate);
	if ((code = certificate_directory(s, c->tls[0].certificate, &may)) !=
		CODE_OK ||
	    (code = certificate_directory(s, c->tls[0].key, &may_key)) !=
		CODE_OK)
		return code;
	if (!may || !may_key) {
		output_note("postern: %s is not there yet; the server does "
			    "not start without it",
		    c->tls[0].certificate);
		return CODE_OK;
	}
	if (!s->dry &&
	    !certificate_make(
		c->tls[0].certificate, c->tls[0].key, c->hostname, err))
		return output_fail(CODE_TEMP, "%s", err);
	did(s, "self-signed certificate for %s: %s", c->hostname,
	    c->tls[0].certificate);
	return CODE_OK;
}

static int
write_file(const char *file, const char *text)
{
	char temporary[CONF_PATH + 8];
	size_t n = strlen(text);
	int fd, code = CODE_OK;

	snprintf(temporary, sizeof(temporary), "%s.new", file);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1)
		return failed(temporary);
	if (write(fd, text, n) != (ssize_t)n || fchmod(fd, 0644) == -1 ||
	    fsync(fd) == -1)
		code = failed(temporary);
	/* link(2) never replaces what somebody else has just written. */
	else if (link(temporary, file) == -1 && errno != EEXIST)
		code = failed(file);
	close(fd);
	unlink(temporary);
	return code;
}

int
setup_configuration(struct setup *s, const char *file, const char *text)
{
	int code = CODE_OK;

	if (access(file, F_OK) == 0)
		return CODE_OK;
	if (!s->dry)
		code = write_file(file, text);
	if (code == CODE_OK)
		did(s, "configuration %s", file);
	return code;
}

/*
 * conf_state.c - whose the stores are.  A copy from another machine, or one
 * made by root, belongs to nobody who could open it.
 */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"

#define PLACE (2 * CONF_PATH)

struct store {
	const char *dir, *user;
	uid_t uid;
	const char *others; /* whose server it is, when not ours; or "" */
	int line;           /* of paths.state */
	conf_error_fn *error;
	void *arg;
};

static int
complain(const struct store *s, const char *path, const char *why, bool give)
{
	char text[PLACE + 200], hint[PLACE + 100];

	snprintf(text, sizeof(text), "paths.state: %s: %s", path, why);
	if (*s->others != '\0' && give && geteuid() == 0)
		snprintf(hint, sizeof(hint),
		    "run this as %s, whose server it may be; where it is not: "
		    "chown -R %s %s",
		    s->others, s->user, s->dir);
	else if (*s->others != '\0')
		snprintf(hint, sizeof(hint),
		    "run this as %s, whose server it may be", s->others);
	else if (give)
		snprintf(hint, sizeof(hint), "chown -R %s %s", s->user, s->dir);
	else
		snprintf(hint, sizeof(hint), "run `postern init`");
	s->error(s->arg, s->line, text, hint);
	return 1;
}

static int
check(const struct store *s, const char *path)
{
	const struct passwd *pw;
	char why[200];
	struct stat st;

	/* As who opens it: the directories may be links to another disk. */
	if (stat(path, &st) == -1)
		return errno == ENOENT
		    ? 0
		    : complain(s, path, strerror(errno), true);
	if (st.st_uid == s->uid)
		return 0;
	pw = getpwuid(st.st_uid);
	snprintf(why, sizeof(why), "belongs to %.60s, not to %.60s",
	    pw != NULL ? pw->pw_name : "an unknown user", s->user);
	return complain(s, path, why, true);
}

/* What Berkeley DB writes to.  A DB_CONFIG may be anybody's. */
static bool
is_written(const char *name)
{
	size_t n = strlen(name);

	return strncmp(name, "log.", 4) == 0 ||
	    strncmp(name, "__db.", 5) == 0 ||
	    (n > 3 && strcmp(name + n - 3, ".db") == 0);
}

/* The first that is not as it should be: the others are likely the same. */
static int
check_inside(const struct store *s, const char *env)
{
	DIR *d = opendir(env);
	struct dirent *e;
	char path[PLACE];
	int bad = 0;

	while (d != NULL && bad == 0 && (e = readdir(d)) != NULL) {
		if (!is_written(e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", env, e->d_name);
		bad = check(s, path);
	}
	if (d != NULL)
		closedir(d);
	return bad;
}

static int
check_store(struct store *s)
{
	char env[CONF_PATH + 32];
	int bad;

	if (access(s->dir, F_OK) == -1 && errno == ENOENT)
		return complain(s, s->dir, "there is no such directory", false);
	snprintf(env, sizeof(env), "%s/env", s->dir);
	if ((bad = check(s, s->dir)) == 0 && (bad = check(s, env)) == 0)
		bad = check_inside(s, env);
	return bad;
}

/* To give away what another user's server works with would break that. */
static void
name_others(const struct conf *c, char *out, size_t size)
{
	const struct passwd *pw;
	struct stat st;

	*out = '\0';
	if (stat(c->state, &st) == -1 || st.st_uid == geteuid())
		return;
	pw = getpwuid(st.st_uid);
	snprintf(
	    out, size, "%s", pw != NULL ? pw->pw_name : "the user of its own");
}

int
conf_check_state(const struct conf *c, conf_error_fn *error, void *arg)
{
	const struct {
		const char *name, *user;
	} stores[] = { { "auth", c->user_auth }, { "queue", c->user_queue } };
	const struct passwd *pw;
	char dir[CONF_PATH + 16], user[64], others[64];
	int bad = 0;

	name_others(c, others, sizeof(others));
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		struct store s = { .dir = dir,
			.uid = geteuid(),
			.others = others,
			.user = user,
			.line = conf_line(c, "paths", "state"),
			.error = error,
			.arg = arg };

		/* Who has no user is told of that. */
		pw = s.uid == 0 ? getpwnam(stores[i].user) : getpwuid(s.uid);
		if (pw == NULL)
			continue;
		snprintf(user, sizeof(user), "%s",
		    s.uid == 0 ? stores[i].user : pw->pw_name);
		s.uid = pw->pw_uid;
		snprintf(dir, sizeof(dir), "%s/%s", c->state, stores[i].name);
		bad += check_store(&s);
	}
	return bad;
}

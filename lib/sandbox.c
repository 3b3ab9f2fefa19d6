/*
 * sandbox.c - see sandbox.h.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox.h"

static void
limit(int resource, rlim_t most)
{
	struct rlimit rl;

	if (getrlimit(resource, &rl) == -1)
		fatal("getrlimit: %s", strerror(errno));
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < most)
		most = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = most;
	if (setrlimit(resource, &rl) == -1)
		fatal("setrlimit: %s", strerror(errno));
}

static void
become(const struct passwd *pw)
{
	if (setgroups(1, &pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal(
		    "cannot become user %s: %s", pw->pw_name, strerror(errno));
	if (setresuid((uid_t)-1, 0, (uid_t)-1) != -1)
		fatal("still able to become root");
}

void
sandbox_enter(const struct sandbox *s)
{
	bool root = geteuid() == 0;
	struct passwd *pw = NULL;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	umask(077);
	if (root && s->user != NULL && (pw = getpwnam(s->user)) == NULL)
		fatal("no such user: %s; run `postern init`", s->user);
	if (s->directory != NULL && chdir(s->directory) == -1)
		fatal("%s: %s; run `postern init`", s->directory,
		    strerror(errno));
	if (root && s->directory != NULL &&
	    (chroot(".") == -1 || chdir("/") == -1))
		fatal("chroot %s: %s", s->directory, strerror(errno));
	if (pw != NULL)
		become(pw);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs: %s", strerror(errno));
	limit(RLIMIT_CORE, 0);
	if (!s->threads)
		limit(RLIMIT_NPROC, 0);
	if (s->files > 0)
		limit(RLIMIT_NOFILE, s->files);
}

/*
 * sandbox.c - see sandbox.h.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/landlock.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/seccomp.h"

/* The sanitizers' own library opens files and looks at other processes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

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

/* The last two steps, which a kernel may not know. */
static void
confine(const struct sandbox *s, bool root)
{
	const char *wish = getenv("POSTERN_SANDBOX");
	int landlock = 0;
	bool filter = false;

	if (SANITIZED || (wish != NULL && strcmp(wish, "off") == 0)) {
		log_event("warning", "text=%s",
		    log_quote("no filter of system calls and no Landlock: a "
			      "build or a run for debugging"));
	} else {
		landlock = landlock_enter(s->rights);
		filter = seccomp_enter(s->rights);
	}
	log_event("process.confined",
	    "process=%s user=%s chroot=%s landlock=%d seccomp=%s",
	    log_process(), s->user != NULL && root ? s->user : "-",
	    root && s->directory != NULL ? "yes" : "no", landlock,
	    filter ? "yes" : "no");
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
	/* A change of users forgets it, so not before. */
	if (s->tied && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		fatal("tied to the parent: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs: %s", strerror(errno));
	limit(RLIMIT_CORE, 0);
	/* A core that is piped to a program takes no notice of the limit. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("not dumpable: %s", strerror(errno));
	if ((s->rights & MAY_THREAD) == 0)
		limit(RLIMIT_NPROC, 0);
	if (s->files > 0)
		limit(RLIMIT_NOFILE, s->files);
	confine(s, root);
}

/*
 * renew.c - the files of certificates and keys, watched.
 *
 * Here only their dates are looked at.  Whether they are any good is found out
 * by those who use them: smtpd keeps a certificate until auth has signed with
 * the key of the new one, so the order in which the two files change, and how
 * long that takes, does not matter.
 */
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/log.h"
#include "parent/parent.h"

#define LOOK_MS 10000
#define CALM_S  2 /* a file that changed just now may be half written */

struct look {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, modified;
};

/* Certificate and key of each section, as they were read last. */
static struct look looks[2 * CONF_TLS];
static struct timer timer;

/* All zero when there is none. */
static void
look_at(const char *path, struct look *l)
{
	struct stat st;

	memset(l, 0, sizeof(*l));
	if (stat(path, &st) == -1)
		return;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	l->size = st.st_size;
	l->changed = st.st_ctim;
	l->modified = st.st_mtim;
}

static bool
is_calm(const struct look *l)
{
	time_t age = time(NULL) - l->changed.tv_sec;

	return age < 0 || age >= CALM_S;
}

void
renew_seen(void)
{
	const struct conf *c = parent_conf();

	for (size_t i = 0; i < c->ntls; i++) {
		look_at(c->tls[i].certificate, &looks[2 * i]);
		look_at(c->tls[i].key, &looks[2 * i + 1]);
	}
}

int
renew_now(conf_error_fn *error, void *arg)
{
	int bad = conf_check_tls(parent_conf(), error, arg);

	renew_seen();
	if (bad == 0)
		workers_renew();
	return bad;
}

static void
on_error(void *arg, int line, const char *text, const char *hint)
{
	(void)arg, (void)line;
	log_event(
	    "tls.kept", "error=%s fix=%s", log_quote(text), log_quote(hint));
}

/* Whether a file is another one than before, and has been for a moment. */
static bool
has_changed(const char *path, const struct look *before, bool *calm)
{
	struct look now;

	look_at(path, &now);
	if (memcmp(&now, before, sizeof(now)) == 0)
		return false;
	*calm = *calm && is_calm(&now);
	return true;
}

static void
on_timer(void *arg)
{
	const struct conf *c = parent_conf();
	bool calm = true;
	const char *changed = NULL;

	(void)arg;
	timer_set(&timer, LOOK_MS);
	for (size_t i = 0; i < c->ntls; i++) {
		if (has_changed(c->tls[i].certificate, &looks[2 * i], &calm))
			changed = c->tls[i].certificate;
		if (has_changed(c->tls[i].key, &looks[2 * i + 1], &calm))
			changed = c->tls[i].key;
	}
	if (changed == NULL || !calm)
		return;
	log_event("tls.changed", "file=%s", log_quote(changed));
	renew_now(on_error, NULL);
}

void
renew_init(void)
{
	renew_seen();
	timer_init(&timer, on_timer, NULL);
	timer_set(&timer, LOOK_MS);
}

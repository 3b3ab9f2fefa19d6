#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/template.h"
#include "lib/buf.h"
#include "lib/conf.h"

static bool
is_ours(const char *directory)
{
	struct stat st;

	return stat(*directory != '\0' ? directory : "/", &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* Would listening on [::] work here? */
static bool
has_ipv6(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd == -1)
		return false;
	ok = bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0;
	close(fd);
	return ok;
}

static void
add_listener(
    struct buf *b, const char *name, const char *tls, unsigned port, bool root)
{
	buf_addf(b, "\n[listen %s]\n", name);
	if (!root)
		buf_addf(b, "address = 127.0.0.1:%u\n", port);
	else if (has_ipv6())
		buf_addf(b, "address = 0.0.0.0:%u, [::]:%u\n", port, port);
	else
		buf_addf(b, "address = 0.0.0.0:%u\n", port);
	buf_addf(b, "tls     = %s\n", tls);
}

char *
template_text(const char *file, const char *hostname, bool root)
{
	bool standard = strcmp(file, CONF_DEFAULT_FILE) == 0;
	char directory[CONF_PATH], state[CONF_PATH + 8] = "/var/lib/postern";
	char run[CONF_PATH + 8] = "/run/postern", keys[CONF_PATH + 16];
	struct buf b = { 0 };
	char *text;

	snprintf(directory, sizeof(directory), "%.*s",
	    (int)(strrchr(file, '/') - file), file);
	if (!standard) {
		snprintf(state, sizeof(state), "%s/state", directory);
		snprintf(run, sizeof(run), "%s/run", directory);
	}
	if (standard || is_ours(directory))
		snprintf(keys, sizeof(keys), "%s", directory);
	else
		snprintf(keys, sizeof(keys), "%s/tls", state);
	buf_addf(&b,
	    "# What everything means: postern.conf(5).  After a change:\n"
	    "# postern config check, then reload the server.\n\n"
	    "hostname = %s\n\n"
	    "[tls]\n"
	    "certificate = %s/certificate.pem\n"
	    "key         = %s/key.pem\n",
	    hostname, keys, keys);
	add_listener(&b, "submissions", "implicit", root ? 465 : 2465, root);
	add_listener(&b, "submission", "starttls", root ? 587 : 2587, root);
	buf_addf(&b,
	    "\n[paths]\n"
	    "state = %s\n"
	    "run   = %s\n",
	    state, run);
	text = strndup(buf_data(&b), b.len);
	buf_release(&b);
	if (text == NULL)
		abort();
	return text;
}

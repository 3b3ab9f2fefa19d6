/*
 * template.c - see template.h.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/template.h"
#include "lib/buf.h"
#include "lib/conf.h"

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
	int directory = (int)(strrchr(file, '/') - file);
	struct buf b = { 0 };
	char *text;

	buf_addf(&b,
	    "# What everything means: postern.conf(5).  After a change:\n"
	    "# postern config check, then reload the server.\n\n"
	    "hostname = %s\n\n"
	    "# Until mail programs are given a certificate that they trust, "
	    "the server\n"
	    "# uses the one that \"postern init\" has made.\n"
	    "#[tls]\n"
	    "#certificate = /etc/letsencrypt/live/%s/fullchain.pem\n"
	    "#key         = /etc/letsencrypt/live/%s/privkey.pem\n\n"
	    "# Who is told of an account that was suspended because somebody "
	    "else may have\n"
	    "# its password: postmaster@%s, unless you say so here.\n"
	    "#[guard]\n"
	    "#notify = you@example.org\n",
	    hostname, hostname, hostname, hostname);
	add_listener(&b, "submissions", "implicit", root ? 465 : 2465, root);
	add_listener(&b, "submission", "starttls", root ? 587 : 2587, root);
	if (strcmp(file, CONF_DEFAULT_FILE) == 0)
		buf_addf(&b,
		    "\n[paths]\n"
		    "state = /var/lib/postern\n"
		    "run   = /run/postern\n");
	else
		buf_addf(&b,
		    "\n[paths]\n"
		    "state = %.*s/state\n"
		    "run   = %.*s/run\n",
		    directory, file, directory, file);
	text = strndup(buf_data(&b), b.len);
	buf_release(&b);
	if (text == NULL)
		abort();
	return text;
}

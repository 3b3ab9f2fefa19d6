/*
 * target.c - see target.h.
 */
#include <stdio.h>

#include "deliver/target.h"

void
target_name(const struct target *t, char out[TARGET_NAME])
{
	const struct sockaddr *sa = (const struct sockaddr *)&t->address.ss;
	char ip[NET_TEXT];

	net_text(sa, ip);
	if (t->literal)
		snprintf(out, TARGET_NAME, "[%s]:%u", ip, net_port(sa));
	else
		snprintf(out, TARGET_NAME, "%.220s[%s]:%u", t->host, ip,
		    net_port(sa));
}

/*
 * selection.c - see selection.h.
 */
#include <stdio.h>
#include <string.h>

#include "ipc/selection.h"

/* Returns the new length. */
static size_t
add(char *out, size_t n, const char *flag, const char *value)
{
	char word[SHELL_SIZE(ADDR_SIZE)];

	if (*value == '\0')
		return n;
	return n +
	    (size_t)snprintf(out + n, SELECTION_SIZE - n, "%s%s %s",
		n > 0 ? " " : "", flag, shell_word(word, sizeof(word), value));
}

void
selection_write(const struct msg_queue_cmd *q, char out[SELECTION_SIZE])
{
	size_t n = 0;

	n = add(out, n, "--account", q->account);
	n = add(out, n, "--sender", q->sender);
	n = add(out, n, "--domain", q->domain);
	if (n == 0)
		strcpy(out, "--all");
}

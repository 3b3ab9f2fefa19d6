/*
 * sibling.c - see sibling.h.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/output.h"
#include "ctl/sibling.h"
#include "lib/code.h"

/* In the tree, and installed under any prefix. */
static const char *const beside[] = { ".", "../libexec/postern" };

bool
sibling_path(const char *name, char *out, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir;

	self[n > 0 ? n : 0] = '\0';
	dir = dirname(self);
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		snprintf(out, size, "%s/%s/postern-%s", dir, beside[i], name);
		if (access(out, X_OK) == 0)
			return true;
	}
	snprintf(out, size, "%s/postern-%s", LIBEXECDIR, name);
	if (access(out, X_OK) == 0)
		return true;
	output_fail(CODE_TEMP,
	    "postern-%s is neither beside this program nor in %s; the "
	    "installation is incomplete",
	    name, LIBEXECDIR);
	return false;
}

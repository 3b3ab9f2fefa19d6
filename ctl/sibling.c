/*
 * sibling.c - see sibling.h.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/code.h"
#include "ctl/output.h"
#include "ctl/sibling.h"

bool
sibling_path(const char *name, char *out, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		snprintf(out, size, "%s/postern-%s", dirname(self), name);
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

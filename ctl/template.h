/*
 * template.h - the configuration that a new server begins with.
 */
#ifndef CTL_TEMPLATE_H
#define CTL_TEMPLATE_H

#include <stdbool.h>

/*
 * Its text, malloc'd.  As root: the ports and, for the standard file, the
 * directories of the system.  Otherwise: ports over 1024 of this machine
 * alone.  Another file than the standard one has state and run beside it.
 *
 *   file      where it will be, absolute
 *   hostname  valid
 */
char *template_text(const char *file, const char *hostname, bool root);

#endif

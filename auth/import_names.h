/*
 * import_names.h - which accounts an import has brought so far.
 */
#ifndef AUTH_IMPORT_NAMES_H
#define AUTH_IMPORT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct import_name;

/* Has a line before brought this account?  Then its number is in *first. */
bool import_names_find(
    const struct import_name *, const char *account, uint32_t *first);
/* Remember that this line brings this account, which none before did. */
void
import_names_add(struct import_name **, const char *account, uint32_t line);
void import_names_free(struct import_name **);

#endif

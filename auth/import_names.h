/*
 * import_names.h - which accounts an import has brought so far.
 */
#ifndef AUTH_IMPORT_NAMES_H
#define AUTH_IMPORT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct import_name;

/*
 * Remember that this line brings this account.  False when one before did:
 * then that one stays, and its line is in *first.
 */
bool import_names_add(
    struct import_name **, const char *account, uint32_t line, uint32_t *first);
void import_names_free(struct import_name **);

#endif

/*
 * synonym.h - what other mail servers call it.
 */
#ifndef CTL_SYNONYM_H
#define CTL_SYNONYM_H

/*
 * What to type instead of a command that does not exist; NULL when nothing is
 * known.
 *
 *   noun, verb  as typed; verb "" when there was none
 */
const char *synonym_find(const char *noun, const char *verb);

#endif

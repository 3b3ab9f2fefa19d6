/*
 * scrub.h - what the library of cryptography frees is wiped first.  Its
 * decoders leave whole private keys behind in memory that nobody owns.
 */
#ifndef AUTH_SCRUB_H
#define AUTH_SCRUB_H

/* From now on; before the library is used for anything, or fatal(). */
void scrub_install(void);

#endif

/*
 * pemfile.h - what stands in a file that should hold PEM and does not.
 */
#ifndef CTL_PEMFILE_H
#define CTL_PEMFILE_H

#include <stddef.h>

enum pem { PEM_CERTIFICATE, PEM_KEY };

/*
 * Why no PEM of this kind could be read from text[n], the beginning of the file
 * `path`, and what to do: one sentence that names the file.
 */
void pemfile_explain(const char *path, const char *text, size_t n, enum pem,
    char *out, size_t size);

/* The same of the file itself. */
void pemfile_tell(const char *path, enum pem, char *out, size_t size);

#endif

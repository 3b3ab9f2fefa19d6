/*
 * attempt.h - what a process that was taken over would try; for the test that
 * a sandbox holds.
 */
#ifndef LIB_ATTEMPT_H
#define LIB_ATTEMPT_H

/*
 * Try one thing and print what came of it on stdout: "allowed", or "refused: "
 * and why.  A filter of system calls may end the process instead.
 *
 *   what  "NAME" or "NAME=OPERAND", a row of the table in attempt.c
 *
 * Returns the exit status: 0 when it was tried, 2 when there is no such row.
 */
int attempt_run(const char *what);

#endif

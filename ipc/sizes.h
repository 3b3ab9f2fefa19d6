/*
 * sizes.h - bounds of what messages hold.
 */
#ifndef IPC_SIZES_H
#define IPC_SIZES_H

#define MSG_MAX (160 * 1024) /* bytes, header included */

#define ADDR_SIZE   324         /* an address as text with its NUL */
#define HASH_SIZE   384         /* a password hash as text with its NUL */
#define ADDED_MAX   4096        /* bytes of header lines in front of a body */
#define BODY_INLINE 65536       /* a body up to this size rides in the record */
#define RCPTS_MAX   (48 * 1024) /* bytes of a packed recipient list */
#define JOB_RCPTS   100         /* recipients in one job at most */
#define PARTS_MAX   (16 * 1024) /* bytes of a packed list of parts */
#define BODY_HASH   32 /* bytes: SHA-256 of it, relaxed (RFC 6376 3.7) */
#define SELECTOR    64 /* of DKIM, as text with its NUL */

#define CREDENTIAL_LABEL    64  /* bytes, with the NUL */
#define CREDENTIAL_NETWORKS 320 /* of a list as text */
#define CREDENTIAL_SENDERS  400

#endif

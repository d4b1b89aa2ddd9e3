/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lexical work on path names: byte ranges split at '/'. Knows nothing of files, limits or
 * encodings; "." and ".." are reported, not resolved (only the walk in vfs may do that).
 */
#pragma once

#include "base/types.h"

/* One name inside a path; points into it, not NUL-terminated. */
struct path_comp {
    const char *name;
    size_t len;       /* >= 1 */
    bool last;        /* no further name follows (slashes may) */
    bool slash_after; /* a slash follows: the name must be a directory */
};

struct path_iter {
    const char *pos; /* what is left: [pos, end) */
    const char *end;
};

/* Start at the front of `len` bytes, borrowed for the life of the iterator. */
void path_iter_init(struct path_iter *it, const char *path, size_t len);

/* Next name into *out, runs of slashes skipped; false at the end. "" and "///" have none. */
bool path_next(struct path_iter *it, struct path_comp *out);

/* True if the path begins with a slash. */
bool path_is_absolute(const char *path, size_t len);

/* True if the path ends with a slash ("/" does). */
bool path_has_trailing_slash(const char *path, size_t len);

/* True for the name ".". */
bool path_is_dot(const char *name, size_t len);

/* True for the name "..". */
bool path_is_dotdot(const char *name, size_t len);

/*
 * Last name of a path, trailing slashes ignored, as basename(1).
 *   returns  false if there is none ("", "/"); *out is then untouched
 */
bool path_basename(const char *path, size_t len, struct path_comp *out);

/*
 * Length of the part in front of the last name, without the slashes between: 3 for "a/b//c/",
 * 0 for "a", 1 for "/a" and "/".
 */
size_t path_parent_len(const char *path, size_t len);

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

void path_iter_init(struct path_iter *it, const char *path, size_t len)
{
    it->pos = path;
    it->end = path + len;
}

static const char *skip_slashes(const char *p, const char *end)
{
    while (p < end && *p == '/') {
        p++;
    }
    return p;
}

bool path_next(struct path_iter *it, struct path_comp *out)
{
    const char *name = skip_slashes(it->pos, it->end);
    const char *p = name;

    while (p < it->end && *p != '/') {
        p++;
    }
    if (p == name) {
        it->pos = it->end;
        return false;
    }
    it->pos = skip_slashes(p, it->end);
    out->name = name;
    out->len = (size_t)(p - name);
    out->last = it->pos == it->end;
    out->slash_after = it->pos != p;
    return true;
}

bool path_is_absolute(const char *path, size_t len)
{
    return len > 0 && path[0] == '/';
}

bool path_has_trailing_slash(const char *path, size_t len)
{
    return len > 0 && path[len - 1] == '/';
}

bool path_is_dot(const char *name, size_t len)
{
    return len == 1 && name[0] == '.';
}

bool path_is_dotdot(const char *name, size_t len)
{
    return len == 2 && name[0] == '.' && name[1] == '.';
}

/* `len` without the slashes at the end. */
static size_t strip_slashes(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] == '/') {
        len--;
    }
    return len;
}

/* `len` without the name at the end. */
static size_t strip_name(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len;
}

bool path_basename(const char *path, size_t len, struct path_comp *out)
{
    size_t end = strip_slashes(path, len);
    size_t start = strip_name(path, end);

    if (start == end) {
        return false;
    }
    out->name = path + start;
    out->len = end - start;
    out->last = true;
    out->slash_after = end != len;
    return true;
}

size_t path_parent_len(const char *path, size_t len)
{
    size_t parent = strip_slashes(path, strip_name(path, strip_slashes(path, len)));

    return parent == 0 && path_is_absolute(path, len) ? 1 : parent;
}

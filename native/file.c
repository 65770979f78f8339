/* Calls on open files that answer at once. */

#define _GNU_SOURCE
#include "varve.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

/*
 * Reads what is in the page cache: EAGAIN where the next byte is not, EOPNOTSUPP on file systems that cannot tell.
 * The system call itself, because glibc's preadv2 falls back to one that waits.
 */
int64_t file_read_now(int fd, void *into, size_t length, int64_t position) {
  struct iovec part = {into, length};
  /* The position comes in two halves, of which a 64-bit kernel ignores the second. */
  ssize_t count = syscall(SYS_preadv2, fd, &part, 1ul, (unsigned long)position, 0ul, RWF_NOWAIT);
  return count < 0 ? -errno : count;
}

/* Reads and writes at a position, in one system call. */
int64_t file_read(int fd, void *into, size_t length, int64_t position) {
  ssize_t count = pread(fd, into, length, position);
  return count < 0 ? -errno : count;
}

/* Only reads `bytes`: not const so that it is called like the others. */
int64_t file_write(int fd, void *bytes, size_t length, int64_t position) {
  ssize_t count = pwrite(fd, bytes, length, position);
  return count < 0 ? -errno : count;
}

/* 1 where files in `directory` can be read without waiting, 0 where not; an error where it could not be tried. */
int file_takes_nowait(const char *directory) {
  int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return -errno;
  char byte;
  int64_t count = file_read_now(fd, &byte, 1, 0);
  close(fd);
  return count == 0 || count == -EAGAIN;
}

/* Locks the open file for ever; a shared lock tells whether another open file has the exclusive one: EWOULDBLOCK. */
int file_lock(int fd, bool exclusive) {
  return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0 ? -errno : 0;
}

/* Clean pages only: sync before. */
int file_drop_cache(int fd) {
  return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

/*
 * io_uring, by its system calls. One thread submits and waits; others only wake it, through an eventfd that the ring
 * itself reads.
 *
 * Man pages: io_uring_setup(2), io_uring_enter(2). Needs Linux 5.6 (IORING_OP_READ).
 */

#define _GNU_SOURCE
#include "varve.h"
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Enough to keep a fast disk busy; what is over waits in a list. */
#define ENTRIES 128

/* Since Linux 5.10 and 6.0, 6.1: completions are worked off by the one thread that waits, not in the midst of others. */
#ifndef IORING_SETUP_R_DISABLED
#define IORING_SETUP_R_DISABLED (1u << 6)
#endif
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1u << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1u << 13)
#endif

/* Not a request: the read of the eventfd. */
#define WAKE ((uint64_t)0)

struct ring {
  int fd;
  int wake_fd;
  bool disabled;
  /* The eventfd is being read. */
  bool armed;
  uint64_t wake_count;
  unsigned in_flight;
  unsigned unsubmitted;
  void *map;
  size_t map_size;
  struct io_uring_sqe *sqes;
  size_t sqes_size;
  unsigned *sq_tail, *sq_array, *cq_head, *cq_tail;
  unsigned sq_mask, cq_mask;
  struct io_uring_cqe *cqes;
};

static bool has_reads(int fd) {
  size_t size = sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op);
  struct io_uring_probe *probe = calloc(1, size);
  bool has = probe != NULL && syscall(SYS_io_uring_register, fd, IORING_REGISTER_PROBE, probe, 256) == 0 &&
             probe->last_op >= IORING_OP_READ && (probe->ops[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED) != 0;
  free(probe);
  return has;
}

struct ring *ring_open(int *error) {
  struct ring *ring = calloc(1, sizeof(*ring));
  if (ring == NULL) {
    *error = ENOMEM;
    return NULL;
  }
  ring->wake_fd = -1;
  ring->map = MAP_FAILED;
  ring->sqes = MAP_FAILED;

  struct io_uring_params params = {
      .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
  };
  ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
  ring->disabled = ring->fd >= 0;
  if (ring->fd < 0 && errno == EINVAL) {
    memset(&params, 0, sizeof(params));
    ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
  }
  if (ring->fd < 0) goto failed;
  if (!has_reads(ring->fd) || (params.features & IORING_FEAT_SINGLE_MMAP) == 0) {
    errno = ENOSYS;
    goto failed;
  }
  ring->wake_fd = eventfd(0, EFD_CLOEXEC);
  if (ring->wake_fd < 0) goto failed;

  size_t sq_size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t cq_size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  ring->map_size = sq_size > cq_size ? sq_size : cq_size;
  ring->sqes_size = params.sq_entries * sizeof(struct io_uring_sqe);
  int flags = MAP_SHARED | MAP_POPULATE;
  ring->map = mmap(NULL, ring->map_size, PROT_READ | PROT_WRITE, flags, ring->fd, IORING_OFF_SQ_RING);
  if (ring->map == MAP_FAILED) goto failed;
  ring->sqes = mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE, flags, ring->fd, IORING_OFF_SQES);
  if (ring->sqes == MAP_FAILED) goto failed;

  char *base = ring->map;
  ring->sq_tail = (unsigned *)(base + params.sq_off.tail);
  ring->sq_array = (unsigned *)(base + params.sq_off.array);
  ring->sq_mask = *(unsigned *)(base + params.sq_off.ring_mask);
  ring->cq_head = (unsigned *)(base + params.cq_off.head);
  ring->cq_tail = (unsigned *)(base + params.cq_off.tail);
  ring->cq_mask = *(unsigned *)(base + params.cq_off.ring_mask);
  ring->cqes = (struct io_uring_cqe *)(base + params.cq_off.cqes);
  return ring;

failed:
  *error = errno;
  ring_close(ring);
  return NULL;
}

void ring_close(struct ring *ring) {
  if (ring->sqes != MAP_FAILED) munmap(ring->sqes, ring->sqes_size);
  if (ring->map != MAP_FAILED) munmap(ring->map, ring->map_size);
  if (ring->wake_fd >= 0) close(ring->wake_fd);
  if (ring->fd >= 0) close(ring->fd);
  free(ring);
}

int ring_enable(struct ring *ring) {
  if (!ring->disabled) return 0;
  ring->disabled = false;
  return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0 ? -errno : 0;
}

void ring_wake(struct ring *ring) {
  uint64_t one = 1;
  /* Fails only when 2^64 - 1 wakes wait, and then it is awake. */
  ssize_t written = write(ring->wake_fd, &one, sizeof(one));
  (void)written;
}

unsigned ring_in_flight(const struct ring *ring) {
  return ring->in_flight;
}

static void prepare(struct ring *ring, int fd, void *data, unsigned length, uint64_t position, uint64_t tag) {
  unsigned tail = *ring->sq_tail;
  unsigned index = tail & ring->sq_mask;
  struct io_uring_sqe *sqe = &ring->sqes[index];
  memset(sqe, 0, sizeof(*sqe));
  sqe->opcode = IORING_OP_READ;
  sqe->fd = fd;
  sqe->addr = (uint64_t)(uintptr_t)data;
  sqe->len = length;
  sqe->off = position;
  sqe->user_data = tag;
  ring->sq_array[index] = index;
  __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
  ring->unsubmitted++;
}

void ring_fill(struct ring *ring, struct list *waiting) {
  /* One entry is the eventfd's. */
  while (waiting->first != NULL && ring->in_flight < ENTRIES - 1) {
    struct request *request = waiting->first;
    waiting->first = request->next;
    if (waiting->first == NULL) waiting->last = NULL;
    prepare(ring, request->fd, request->data, request->length, (uint64_t)request->position, (uint64_t)(uintptr_t)request);
    ring->in_flight++;
  }
}

void ring_wait(struct ring *ring, struct list *done) {
  if (!ring->armed) {
    prepare(ring, ring->wake_fd, &ring->wake_count, sizeof(ring->wake_count), 0, WAKE);
    ring->armed = true;
  }
  long submitted = syscall(SYS_io_uring_enter, ring->fd, ring->unsubmitted, 1, IORING_ENTER_GETEVENTS, NULL, 0);
  /* EINTR, EAGAIN (no memory for now), EBUSY (completions first): nothing was taken, and the caller comes again. */
  if (submitted > 0) ring->unsubmitted -= (unsigned)submitted;

  unsigned head = *ring->cq_head;
  unsigned tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);
  for (; head != tail; head++) {
    const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];
    if (cqe->user_data == WAKE) {
      ring->armed = false;
      continue;
    }
    struct request *request = (struct request *)(uintptr_t)cqe->user_data;
    request->result = cqe->res;
    ring->in_flight--;
    list_push(done, request);
  }
  __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
}

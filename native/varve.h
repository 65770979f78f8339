/*
 * The addon of varve: system calls that Node does not have, LZ4 and checksums. N-API, raw system calls; neither libuv nor
 * liburing.
 *
 *      addon.c    what JavaScript sees
 *      lz4-decode.c, lz4-encode.c
 *      file.c     reads that cannot block, file locks, dropping the page cache
 *      memory.c   giving freed memory back
 *      row-block.c, row-blocks.c  stored blocks of row tables, decoded
 *      xxh32.c, xxh64.c  checksums
 *      queue.c    requests on their way: one thread for each queue, completions back to the event loop
 *      ring.c     io_uring
 *
 * Everything belongs to an environment (the main thread, or a worker): there is no state of the process. Calls answer
 * with a number: what they have to say, or minus the system's error number.
 */

#ifndef VARVE_NATIVE_H
#define VARVE_NATIVE_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Since glibc 2.34 threads are in libc under new versions of their symbols; the old ones are everywhere. */
#if defined(__x86_64__) && defined(__GLIBC__)
__asm__(".symver pthread_create, pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_join, pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask, pthread_sigmask@GLIBC_2.2.5");
#endif

/* file.c: bytes or 0, or minus an error number. */
int64_t file_read(int fd, void *into, size_t length, int64_t position);
int64_t file_write(int fd, void *bytes, size_t length, int64_t position);
int64_t file_read_now(int fd, void *into, size_t length, int64_t position);
int file_takes_nowait(const char *directory);
int file_lock(int fd, bool exclusive);
int file_drop_cache(int fd);

/* memory.c: 1 where anything was given back. */
int memory_give_back(void);

/* lz4-decode.c */
bool lz4_decode(const uint8_t *source, size_t source_length, uint8_t *target, size_t target_length);

/* lz4-encode.c */
enum { LZ4_SOURCE_MAX = 0x7e000000 };
size_t lz4_encode(const uint8_t *source, size_t length, uint8_t *target, size_t room);

/* Little-endian, wherever they lie. */
static inline uint32_t read_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline void write_u32(uint8_t *bytes, uint32_t value) {
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
  bytes[2] = (uint8_t)(value >> 16);
  bytes[3] = (uint8_t)(value >> 24);
}

/* xxh32.c */
uint32_t xxh32(const uint8_t *bytes, size_t length, uint32_t seed);

/* xxh64.c */
uint64_t xxh64(const uint8_t *bytes, size_t length, uint64_t seed);
/* The same over bytes that come in pieces. */
struct xxh64_state {
  uint64_t lanes[4];
  uint64_t seed;
  /* Of all bytes so far. */
  uint64_t length;
  /* Behind the last whole stripe. */
  uint8_t rest[32];
};
void xxh64_begin(struct xxh64_state *state, uint64_t seed);
void xxh64_update(struct xxh64_state *state, const uint8_t *bytes, size_t length);
uint64_t xxh64_end(const struct xxh64_state *state);

/* row-block.c. `stored` may be the end of `block` where it is not compressed. */
bool row_block_decode(const uint8_t *stored, size_t stored_length, uint64_t seed, uint64_t checksum, uint8_t *block,
                      size_t length);

/* row-blocks.c. One of the blocks of a group, as src/kernel/decode-tasks.ts has it. */
struct row_task {
  uint32_t stored_start;
  uint32_t stored_length;
  uint32_t block_start;
  uint32_t block_length;
  uint64_t seed;
  uint64_t checksum;
  /* Set to 1 once its block is there. */
  uint32_t done;
  uint32_t zero;
};
/* Where they are, in JavaScript's memory. */
struct row_group {
  const uint8_t *stored;
  size_t stored_length;
  uint8_t *memory;
  size_t memory_length;
  struct row_task *tasks;
  size_t count;
};
bool row_group_fits(const struct row_group *group);
/* How many were decoded. */
int32_t row_group_decode(const struct row_group *group);

enum { OP_READ = 0, OP_SYNC = 1, OP_DECODE = 2 };

/* A request belongs to the event loop until it is submitted, to the thread until it is done, then to the loop again. */
struct request {
  struct request *next;
  uint32_t id;
  int32_t fd;
  int32_t op;
  int32_t result;
  void *data;
  uint32_t length;
  int64_t position;
  /* Of OP_DECODE, which has nothing of the five above. */
  struct row_group group;
  /* Keeps the buffer where it is. */
  napi_ref pin;
};

struct list {
  struct request *first;
  struct request *last;
};

void list_push(struct list *list, struct request *request);
/* Moves all of `from` behind the last of `to`. */
void list_move(struct list *to, struct list *from);

/* ring.c */
struct ring;
/* NULL, and *error is set, where the kernel says no. */
struct ring *ring_open(int *error);
void ring_close(struct ring *ring);
/* To be called once by the thread that will use the ring. */
int ring_enable(struct ring *ring);
/* Wakes `ring_wait`. From any thread. */
void ring_wake(struct ring *ring);
/* Takes over as many of `waiting` as there is room for. */
void ring_fill(struct ring *ring, struct list *waiting);
/* Submits, waits for a completion or a wake, and moves what is complete to `done`. */
void ring_wait(struct ring *ring, struct list *done);
unsigned ring_in_flight(const struct ring *ring);

/* queue.c */
enum { QUEUE_CALLS = 0, QUEUE_RING = 1 };
struct queue;
/* NULL, and *error is set, where there can be none. `results` holds pairs of id and result; `done` takes their number. */
struct queue *queue_open(napi_env env, int kind, napi_value results, napi_value done, int *error);
/* Takes a copy. `pinned`, what holds the memory of the request, may be NULL. */
bool queue_push(napi_env env, struct queue *queue, const struct request *request, napi_value pinned);
void queue_flush(struct queue *queue);
/* Fills `results` with what is done and has not been told yet; the number of pairs. For those who cannot wait for the event loop. */
unsigned queue_take_done(napi_env env, struct queue *queue);
/* Waits for everything submitted; idempotent. Nothing is pushed after it. */
void queue_stop(napi_env env, struct queue *queue);
/* Stops it, and gives it up: JavaScript has lost the handle. */
void queue_drop(napi_env env, struct queue *queue);

#endif

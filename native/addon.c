/* What JavaScript sees: functions that take numbers and bytes. src/native/native.ts describes them. */

#include "varve.h"
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 5
#define DIRECTORY_BYTES_MAX 4097

/* Fetches exactly `count` arguments; false, and an exception is pending, where there are fewer. */
static bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok && given >= count) return true;
  napi_throw_type_error(env, NULL, "too few arguments");
  return false;
}

static napi_value refuse(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

static napi_value number(napi_env env, int64_t value) {
  napi_value result;
  napi_create_int64(env, value, &result);
  return result;
}

static bool bytes_of(napi_env env, napi_value value, void **data, size_t *length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == napi_uint8_array;
}

/* Makes one of the calls of file.c that take an open file, bytes and a position. */
static napi_value transfer(napi_env env, napi_callback_info info, int64_t (*call)(int, void *, size_t, int64_t),
                           const char *message) {
  napi_value values[3];
  int32_t fd;
  int64_t position;
  void *data;
  size_t length;
  if (!take_arguments(env, info, 3, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok || !bytes_of(env, values[1], &data, &length) ||
      napi_get_value_int64(env, values[2], &position) != napi_ok)
    return refuse(env, message);
  return number(env, call(fd, data, length, position));
}

static napi_value read_now(napi_env env, napi_callback_info info) {
  return transfer(env, info, file_read_now, "readNow(fd, into, position)");
}

static napi_value read_at(napi_env env, napi_callback_info info) {
  return transfer(env, info, file_read, "readAt(fd, into, position)");
}

static napi_value write_at(napi_env env, napi_callback_info info) {
  return transfer(env, info, file_write, "writeAt(fd, bytes, position)");
}

static napi_value decode_lz4(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int64_t start;
  void *source, *target;
  size_t source_length, target_length;
  if (!take_arguments(env, info, 3, values)) return NULL;
  if (!bytes_of(env, values[0], &source, &source_length) || napi_get_value_int64(env, values[1], &start) != napi_ok ||
      !bytes_of(env, values[2], &target, &target_length) || start < 0 || (uint64_t)start > source_length)
    return refuse(env, "decodeLz4(source, start, into)");
  return number(env, lz4_decode((const uint8_t *)source + start, source_length - (size_t)start, target, target_length));
}

static napi_value encode_lz4(napi_env env, napi_callback_info info) {
  napi_value values[5];
  int64_t start, end, target_start;
  void *source, *target;
  size_t source_length, target_length;
  if (!take_arguments(env, info, 5, values)) return NULL;
  if (!bytes_of(env, values[0], &source, &source_length) || napi_get_value_int64(env, values[1], &start) != napi_ok ||
      napi_get_value_int64(env, values[2], &end) != napi_ok || !bytes_of(env, values[3], &target, &target_length) ||
      napi_get_value_int64(env, values[4], &target_start) != napi_ok || start < 0 || end < start ||
      (uint64_t)end > source_length || end - start > LZ4_SOURCE_MAX || target_start < 0 ||
      (uint64_t)target_start > target_length)
    return refuse(env, "encodeLz4(source, start, limit, into, intoStart)");
  return number(env, (int64_t)lz4_encode((const uint8_t *)source + start, (size_t)(end - start),
                                         (uint8_t *)target + target_start, target_length - (size_t)target_start));
}

static napi_value decode_row_block(napi_env env, napi_callback_info info) {
  napi_value values[4];
  uint64_t seed, checksum;
  bool lossless;
  void *stored, *block;
  size_t stored_length, length;
  if (!take_arguments(env, info, 4, values)) return NULL;
  if (!bytes_of(env, values[0], &stored, &stored_length) ||
      napi_get_value_bigint_uint64(env, values[1], &seed, &lossless) != napi_ok ||
      napi_get_value_bigint_uint64(env, values[2], &checksum, &lossless) != napi_ok ||
      !bytes_of(env, values[3], &block, &length))
    return refuse(env, "decodeRowBlock(stored, seed, checksum, block)");
  return number(env, row_block_decode(stored, stored_length, seed, checksum, block, length));
}

static napi_value hash_32(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint32_t seed;
  void *bytes;
  size_t length;
  if (!take_arguments(env, info, 2, values)) return NULL;
  if (!bytes_of(env, values[0], &bytes, &length) || napi_get_value_uint32(env, values[1], &seed) != napi_ok)
    return refuse(env, "hash32(bytes, seed)");
  return number(env, xxh32(bytes, length, seed));
}

static napi_value bigint(napi_env env, uint64_t value) {
  napi_value result;
  napi_create_bigint_uint64(env, value, &result);
  return result;
}

static napi_value hash_64(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint64_t seed;
  bool lossless;
  void *bytes;
  size_t length;
  if (!take_arguments(env, info, 2, values)) return NULL;
  if (!bytes_of(env, values[0], &bytes, &length) ||
      napi_get_value_bigint_uint64(env, values[1], &seed, &lossless) != napi_ok)
    return refuse(env, "hash64(bytes, seed)");
  return bigint(env, xxh64(bytes, length, seed));
}

/* In JavaScript's memory, which may be aligned to anything. */
static bool state_of(napi_env env, napi_value value, void **memory) {
  size_t length;
  return bytes_of(env, value, memory, &length) && length == sizeof(struct xxh64_state);
}

static napi_value begin_hash_64(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint64_t seed;
  bool lossless;
  void *memory;
  struct xxh64_state state;
  if (!take_arguments(env, info, 2, values)) return NULL;
  if (!state_of(env, values[0], &memory) ||
      napi_get_value_bigint_uint64(env, values[1], &seed, &lossless) != napi_ok)
    return refuse(env, "beginHash64(state, seed)");
  xxh64_begin(&state, seed);
  memcpy(memory, &state, sizeof(state));
  return NULL;
}

static napi_value update_hash_64(napi_env env, napi_callback_info info) {
  napi_value values[2];
  void *memory, *bytes;
  size_t length;
  struct xxh64_state state;
  if (!take_arguments(env, info, 2, values)) return NULL;
  if (!state_of(env, values[0], &memory) || !bytes_of(env, values[1], &bytes, &length))
    return refuse(env, "updateHash64(state, bytes)");
  memcpy(&state, memory, sizeof(state));
  xxh64_update(&state, bytes, length);
  memcpy(memory, &state, sizeof(state));
  return NULL;
}

static napi_value end_hash_64(napi_env env, napi_callback_info info) {
  napi_value values[1];
  void *memory;
  struct xxh64_state state;
  if (!take_arguments(env, info, 1, values)) return NULL;
  if (!state_of(env, values[0], &memory)) return refuse(env, "endHash64(state)");
  memcpy(&state, memory, sizeof(state));
  return bigint(env, xxh64_end(&state));
}

static napi_value takes_nowait(napi_env env, napi_callback_info info) {
  napi_value values[1];
  char directory[DIRECTORY_BYTES_MAX];
  size_t length;
  if (!take_arguments(env, info, 1, values)) return NULL;
  if (napi_get_value_string_utf8(env, values[0], directory, sizeof(directory), &length) != napi_ok)
    return refuse(env, "takesNowait(directory)");
  return number(env, file_takes_nowait(directory));
}

static napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t fd;
  bool exclusive;
  if (!take_arguments(env, info, 2, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok || napi_get_value_bool(env, values[1], &exclusive) != napi_ok)
    return refuse(env, "lockFile(fd, exclusive)");
  return number(env, file_lock(fd, exclusive));
}

static napi_value drop_cache(napi_env env, napi_callback_info info) {
  napi_value values[1];
  int32_t fd;
  if (!take_arguments(env, info, 1, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &fd) != napi_ok) return refuse(env, "dropCache(fd)");
  return number(env, file_drop_cache(fd));
}

static napi_value give_memory_back(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, memory_give_back());
}

static void handle_lost(napi_env env, void *data, void *hint) {
  (void)hint;
  queue_drop(env, data);
}

static napi_value open_queue(napi_env env, napi_callback_info info) {
  napi_value values[3];
  int32_t kind;
  int error;
  if (!take_arguments(env, info, 3, values)) return NULL;
  if (napi_get_value_int32(env, values[0], &kind) != napi_ok || (kind != QUEUE_CALLS && kind != QUEUE_RING))
    return refuse(env, "openQueue(kind, results, done)");
  struct queue *queue = queue_open(env, kind, values[1], values[2], &error);
  if (queue == NULL) return number(env, -error);
  napi_value handle;
  if (napi_create_external(env, queue, handle_lost, NULL, &handle) == napi_ok) return handle;
  queue_drop(env, queue);
  return NULL;
}

static struct queue *queue_of(napi_env env, napi_value value) {
  void *queue = NULL;
  return napi_get_value_external(env, value, &queue) == napi_ok ? queue : NULL;
}

static napi_value push_read(napi_env env, napi_callback_info info) {
  napi_value values[5];
  struct request request = {.op = OP_READ};
  size_t length;
  if (!take_arguments(env, info, 5, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL || napi_get_value_uint32(env, values[1], &request.id) != napi_ok ||
      napi_get_value_int32(env, values[2], &request.fd) != napi_ok ||
      !bytes_of(env, values[3], &request.data, &length) || length > INT32_MAX ||
      napi_get_value_int64(env, values[4], &request.position) != napi_ok)
    return refuse(env, "pushRead(queue, id, fd, into, position)");
  request.length = (uint32_t)length;
  if (!queue_push(env, queue, &request, values[3])) return refuse(env, "the queue is closed");
  return NULL;
}

static napi_value push_sync(napi_env env, napi_callback_info info) {
  napi_value values[3];
  struct request request = {.op = OP_SYNC};
  if (!take_arguments(env, info, 3, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL || napi_get_value_uint32(env, values[1], &request.id) != napi_ok ||
      napi_get_value_int32(env, values[2], &request.fd) != napi_ok)
    return refuse(env, "pushSync(queue, id, fd)");
  if (!queue_push(env, queue, &request, NULL)) return refuse(env, "the queue is closed");
  return NULL;
}

static bool element_of(napi_env env, napi_value array, uint32_t index, void **data, size_t *length) {
  napi_value element;
  return napi_get_element(env, array, index, &element) == napi_ok && bytes_of(env, element, data, length);
}

static napi_value push_decode(napi_env env, napi_callback_info info) {
  napi_value values[3];
  struct request request = {.op = OP_DECODE, .fd = -1};
  struct row_group *group = &request.group;
  void *stored, *memory, *tasks;
  size_t tasks_length;
  if (!take_arguments(env, info, 3, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL || napi_get_value_uint32(env, values[1], &request.id) != napi_ok ||
      !element_of(env, values[2], 0, &stored, &group->stored_length) ||
      !element_of(env, values[2], 1, &memory, &group->memory_length) ||
      !element_of(env, values[2], 2, &tasks, &tasks_length) || (uintptr_t)tasks % _Alignof(struct row_task) != 0)
    return refuse(env, "pushDecode(queue, id, [stored, memory, tasks])");
  group->stored = stored;
  group->memory = memory;
  group->tasks = tasks;
  group->count = tasks_length / sizeof(struct row_task);
  if (!row_group_fits(group)) return refuse(env, "a block is outside of its memory");
  /* The array holds all three. */
  if (!queue_push(env, queue, &request, values[2])) return refuse(env, "the queue is closed");
  return NULL;
}

static napi_value take_done(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!take_arguments(env, info, 1, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL) return refuse(env, "takeDone(queue)");
  return number(env, queue_take_done(env, queue));
}

static napi_value flush(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!take_arguments(env, info, 1, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL) return refuse(env, "flush(queue)");
  queue_flush(queue);
  return NULL;
}

static napi_value close_queue(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!take_arguments(env, info, 1, values)) return NULL;
  struct queue *queue = queue_of(env, values[0]);
  if (queue == NULL) return refuse(env, "closeQueue(queue)");
  queue_stop(env, queue);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"readNow", NULL, read_now, NULL, NULL, NULL, napi_enumerable, NULL},
      {"readAt", NULL, read_at, NULL, NULL, NULL, napi_enumerable, NULL},
      {"writeAt", NULL, write_at, NULL, NULL, NULL, napi_enumerable, NULL},
      {"decodeLz4", NULL, decode_lz4, NULL, NULL, NULL, napi_enumerable, NULL},
      {"encodeLz4", NULL, encode_lz4, NULL, NULL, NULL, napi_enumerable, NULL},
      {"decodeRowBlock", NULL, decode_row_block, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hash32", NULL, hash_32, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hash64", NULL, hash_64, NULL, NULL, NULL, napi_enumerable, NULL},
      {"beginHash64", NULL, begin_hash_64, NULL, NULL, NULL, napi_enumerable, NULL},
      {"updateHash64", NULL, update_hash_64, NULL, NULL, NULL, napi_enumerable, NULL},
      {"endHash64", NULL, end_hash_64, NULL, NULL, NULL, napi_enumerable, NULL},
      {"takesNowait", NULL, takes_nowait, NULL, NULL, NULL, napi_enumerable, NULL},
      {"lockFile", NULL, lock_file, NULL, NULL, NULL, napi_enumerable, NULL},
      {"dropCache", NULL, drop_cache, NULL, NULL, NULL, napi_enumerable, NULL},
      {"giveMemoryBack", NULL, give_memory_back, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openQueue", NULL, open_queue, NULL, NULL, NULL, napi_enumerable, NULL},
      {"pushRead", NULL, push_read, NULL, NULL, NULL, napi_enumerable, NULL},
      {"pushSync", NULL, push_sync, NULL, NULL, NULL, napi_enumerable, NULL},
      {"pushDecode", NULL, push_decode, NULL, NULL, NULL, napi_enumerable, NULL},
      {"takeDone", NULL, take_done, NULL, NULL, NULL, napi_enumerable, NULL},
      {"flush", NULL, flush, NULL, NULL, NULL, napi_enumerable, NULL},
      {"closeQueue", NULL, close_queue, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  /* Raised with every change of a function: src/native/load-native.ts takes no other. */
  napi_value version;
  napi_create_uint32(env, 6, &version);
  napi_set_named_property(env, exports, "interfaceVersion", version);
  return exports;
}

/*
 * A queue: requests of one event loop, a thread that carries them out, completions back.
 *
 *      push ──► staged ──flush──► waiting ──thread──► done ──► JavaScript, on the event loop
 *
 * A queue of calls makes one system call, or decodes one group of blocks, after the other; a queue with a ring has up to a hundred reads under way at once.
 * The thread sleeps when there is nothing to do, and keeps the process alive only while something is under way.
 *
 * Why a thread at all, and not a ring the event loop waits on: docs/decisions has the measurement.
 */

#define _GNU_SOURCE
#include "varve.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AROUND_US 500

struct queue {
  int kind;
  struct ring *ring;
  pthread_t thread;
  napi_threadsafe_function wake_loop;

  /* The event loop's. */
  /* Its handle in JavaScript, and the function that wakes the loop: whichever goes last takes the rest along. */
  int owners;
  bool stopped;
  unsigned in_flight;
  struct list staged;
  napi_ref results_ref;
  int32_t *results;
  unsigned results_max;

  /* Under the mutex. */
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  struct list waiting;
  struct list done;
  bool stopping;
  /* The event loop has been told of `done` and has not looked yet. */
  bool told;

  /* How often something was submitted, for who looks without the mutex. */
  atomic_uint flushes;
};

void list_push(struct list *list, struct request *request) {
  request->next = NULL;
  if (list->last == NULL) list->first = request;
  else list->last->next = request;
  list->last = request;
}

void list_move(struct list *to, struct list *from) {
  if (from->first == NULL) return;
  if (to->last == NULL) to->first = from->first;
  else to->last->next = from->first;
  to->last = from->last;
  from->first = NULL;
  from->last = NULL;
}

/* On the thread: hands over what is done. */
static void hand_over(struct queue *queue, struct list *done) {
  if (done->first == NULL) return;
  pthread_mutex_lock(&queue->mutex);
  list_move(&queue->done, done);
  bool tell = !queue->told;
  queue->told = true;
  pthread_mutex_unlock(&queue->mutex);
  /* Refused only while the environment is being torn down, when nobody listens any more. */
  if (tell) napi_call_threadsafe_function(queue->wake_loop, NULL, napi_tsfn_nonblocking);
}

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * Looks for what comes next for a while before the thread sleeps. Groups of blocks come in bursts, and waking a thread takes the
 * event loop 60 to 100 us on a virtual machine, a third of what it takes to decode the group.
 */
static void look_around(struct queue *queue, unsigned flushes) {
  const uint64_t end = now_us() + LOOK_AROUND_US;
  while (atomic_load_explicit(&queue->flushes, memory_order_relaxed) == flushes && now_us() < end) sched_yield();
}

static void run_calls(struct queue *queue) {
  bool has_decoded = false;
  unsigned flushes = 0;
  for (;;) {
    if (has_decoded) look_around(queue, flushes);
    struct list mine = {NULL, NULL};
    pthread_mutex_lock(&queue->mutex);
    while (queue->waiting.first == NULL && !queue->stopping) pthread_cond_wait(&queue->changed, &queue->mutex);
    list_move(&mine, &queue->waiting);
    flushes = atomic_load_explicit(&queue->flushes, memory_order_relaxed);
    pthread_mutex_unlock(&queue->mutex);
    if (mine.first == NULL) return;
    for (struct request *next, *request = mine.first; request != NULL; request = next) {
      next = request->next;
      has_decoded = request->op == OP_DECODE;
      long result;
      if (request->op == OP_SYNC) result = fdatasync(request->fd);
      else if (request->op == OP_DECODE) result = row_group_decode(&request->group);
      else result = pread(request->fd, request->data, request->length, request->position);
      request->result = result < 0 ? -errno : (int32_t)result;
      struct list one = {NULL, NULL};
      list_push(&one, request);
      hand_over(queue, &one);
    }
  }
}

static void run_ring(struct queue *queue) {
  /* Refused after all: one read after the other still is a service. */
  if (ring_enable(queue->ring) < 0) {
    run_calls(queue);
    return;
  }
  struct list waiting = {NULL, NULL};
  struct list done = {NULL, NULL};
  for (;;) {
    pthread_mutex_lock(&queue->mutex);
    list_move(&waiting, &queue->waiting);
    bool stopping = queue->stopping;
    pthread_mutex_unlock(&queue->mutex);
    if (stopping && waiting.first == NULL && ring_in_flight(queue->ring) == 0) return;
    ring_fill(queue->ring, &waiting);
    ring_wait(queue->ring, &done);
    hand_over(queue, &done);
  }
}

static void *run(void *argument) {
  struct queue *queue = argument;
  if (queue->kind == QUEUE_RING) run_ring(queue);
  else run_calls(queue);
  return NULL;
}

static void drop_owner(napi_env env, struct queue *queue) {
  if (--queue->owners > 0) return;
  struct request *next;
  for (struct request *request = queue->done.first; request != NULL; request = next) {
    next = request->next;
    if (request->pin != NULL) napi_delete_reference(env, request->pin);
    free(request);
  }
  napi_delete_reference(env, queue->results_ref);
  if (queue->ring != NULL) ring_close(queue->ring);
  pthread_cond_destroy(&queue->changed);
  pthread_mutex_destroy(&queue->mutex);
  free(queue);
}

/* The function has delivered its last. */
static void function_gone(napi_env env, void *data, void *context) {
  (void)data;
  drop_owner(env, context);
}

/* On the event loop, as all below: the first of `done` become `results`. Their number. */
static unsigned take_results(napi_env env, struct queue *queue, struct list *done) {
  unsigned count = 0;
  while (done->first != NULL && count < queue->results_max) {
    struct request *request = done->first;
    done->first = request->next;
    queue->results[2 * count] = (int32_t)request->id;
    queue->results[2 * count + 1] = request->result;
    count++;
    if (request->pin != NULL) napi_delete_reference(env, request->pin);
    free(request);
  }
  if (done->first == NULL) done->last = NULL;
  queue->in_flight -= count;
  if (count > 0 && queue->in_flight == 0) napi_unref_threadsafe_function(env, queue->wake_loop);
  return count;
}

static void deliver(napi_env env, napi_value callback, void *context, void *data) {
  (void)data;
  /* Torn down: nobody listens. */
  if (env == NULL) return;
  struct queue *queue = context;
  struct list done = {NULL, NULL};
  pthread_mutex_lock(&queue->mutex);
  list_move(&done, &queue->done);
  queue->told = false;
  pthread_mutex_unlock(&queue->mutex);

  napi_value receiver;
  napi_get_undefined(env, &receiver);
  while (done.first != NULL) {
    napi_value number;
    napi_create_uint32(env, take_results(env, queue, &done), &number);
    if (napi_call_function(env, receiver, callback, 1, &number, NULL) == napi_pending_exception) {
      napi_value exception;
      napi_get_and_clear_last_exception(env, &exception);
      napi_fatal_exception(env, exception);
    }
  }
}

unsigned queue_take_done(napi_env env, struct queue *queue) {
  struct list done = {NULL, NULL};
  pthread_mutex_lock(&queue->mutex);
  list_move(&done, &queue->done);
  pthread_mutex_unlock(&queue->mutex);
  const unsigned count = take_results(env, queue, &done);
  if (done.first == NULL) return count;
  /* More than there is room for: they are the first again. */
  pthread_mutex_lock(&queue->mutex);
  list_move(&done, &queue->done);
  queue->done = done;
  pthread_mutex_unlock(&queue->mutex);
  return count;
}

static void stop_thread(void *argument) {
  struct queue *queue = argument;
  if (queue->stopped) return;
  queue->stopped = true;
  queue_flush(queue);
  pthread_mutex_lock(&queue->mutex);
  queue->stopping = true;
  pthread_mutex_unlock(&queue->mutex);
  pthread_cond_signal(&queue->changed);
  if (queue->ring != NULL) ring_wake(queue->ring);
  pthread_join(queue->thread, NULL);
}

struct queue *queue_open(napi_env env, int kind, napi_value results, napi_value done, int *error) {
  *error = ENOMEM;
  struct queue *queue = calloc(1, sizeof(*queue));
  if (queue == NULL) return NULL;
  queue->kind = kind;
  pthread_mutex_init(&queue->mutex, NULL);
  pthread_cond_init(&queue->changed, NULL);
  if (kind == QUEUE_RING && (queue->ring = ring_open(error)) == NULL) goto no_ring;

  size_t length = 0;
  void *data = NULL;
  napi_value name;
  *error = EINVAL;
  if (napi_get_typedarray_info(env, results, NULL, &length, &data, NULL, NULL) != napi_ok || length < 2) goto no_results;
  if (napi_create_reference(env, results, 1, &queue->results_ref) != napi_ok) goto no_results;
  queue->results = data;
  queue->results_max = (unsigned)(length / 2);
  napi_create_string_utf8(env, "varve", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, done, NULL, name, 0, 1, NULL, function_gone, queue, deliver,
                                      &queue->wake_loop) != napi_ok)
    goto no_function;
  queue->owners = 2;
  napi_unref_threadsafe_function(env, queue->wake_loop);

  /* Signals are the program's business, and its own threads'. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  *error = pthread_create(&queue->thread, NULL, run, queue);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (*error != 0) {
    queue->stopped = true;
    napi_release_threadsafe_function(queue->wake_loop, napi_tsfn_abort);
    drop_owner(env, queue);
    return NULL;
  }
  /* Added after the function's own, so that it runs before: the thread still has somebody to tell. */
  napi_add_env_cleanup_hook(env, stop_thread, queue);
  return queue;

no_function:
  napi_delete_reference(env, queue->results_ref);
no_results:
  if (queue->ring != NULL) ring_close(queue->ring);
no_ring:
  pthread_cond_destroy(&queue->changed);
  pthread_mutex_destroy(&queue->mutex);
  free(queue);
  return NULL;
}

bool queue_push(napi_env env, struct queue *queue, const struct request *template, napi_value pinned) {
  if (queue->stopped) return false;
  struct request *request = malloc(sizeof(*request));
  if (request == NULL) return false;
  *request = *template;
  request->pin = NULL;
  if (pinned != NULL && napi_create_reference(env, pinned, 1, &request->pin) != napi_ok) {
    free(request);
    return false;
  }
  list_push(&queue->staged, request);
  if (queue->in_flight++ == 0) napi_ref_threadsafe_function(env, queue->wake_loop);
  return true;
}

void queue_flush(struct queue *queue) {
  if (queue->staged.first == NULL) return;
  pthread_mutex_lock(&queue->mutex);
  list_move(&queue->waiting, &queue->staged);
  atomic_fetch_add_explicit(&queue->flushes, 1, memory_order_relaxed);
  pthread_mutex_unlock(&queue->mutex);
  /* After the unlock: a thread woken within would only wait for it. */
  pthread_cond_signal(&queue->changed);
  if (queue->ring != NULL) ring_wake(queue->ring);
}

void queue_stop(napi_env env, struct queue *queue) {
  if (queue->stopped) return;
  napi_remove_env_cleanup_hook(env, stop_thread, queue);
  stop_thread(queue);
  napi_release_threadsafe_function(queue->wake_loop, napi_tsfn_release);
}

void queue_drop(napi_env env, struct queue *queue) {
  queue_stop(env, queue);
  drop_owner(env, queue);
}

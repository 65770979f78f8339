/* A group of stored blocks, decoded one after the other: what a queue does beside the event loop (src/sst/neighbours.ts). */

#include "varve.h"

static bool is_within(uint64_t start, uint64_t length, size_t limit) {
  return start + length <= limit;
}

bool row_group_fits(const struct row_group *group) {
  for (size_t index = 0; index < group->count; index++) {
    const struct row_task *task = &group->tasks[index];
    if (!is_within(task->stored_start, task->stored_length, group->stored_length) ||
        !is_within(task->block_start, task->block_length, group->memory_length))
      return false;
  }
  return true;
}

int32_t row_group_decode(const struct row_group *group) {
  int32_t count = 0;
  for (size_t index = 0; index < group->count; index++) {
    struct row_task *task = &group->tasks[index];
    const bool done = row_block_decode(group->stored + task->stored_start, task->stored_length, task->seed,
                                       task->checksum, group->memory + task->block_start, task->block_length);
    task->done = done;
    count += done;
  }
  return count;
}

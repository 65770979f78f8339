/* Freed memory, which the allocator keeps for later. */

#include "varve.h"

#ifdef __GLIBC__
#include <malloc.h>

int memory_give_back(void) {
  return malloc_trim(0);
}
#else
int memory_give_back(void) {
  return 0;
}
#endif

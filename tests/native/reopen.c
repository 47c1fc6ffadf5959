/* Opens a file that cannot be opened, again and again: prints by how many bytes a time that makes the program grow. */
#include <sys/resource.h>

#include "lstm_edge.h"

static double most_bytes(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
#ifdef __APPLE__
  return (double)used.ru_maxrss;
#else
  return 1024.0 * (double)used.ru_maxrss;
#endif
}

int main(int count, char **arguments) {
  lstm_edge model;
  double before = 0;
  if (count < 2) return 2;
  for (int n = 0; n < 60; n++) {
    if (n == 20) before = most_bytes(); /* what the library keeps is there by now */
    const char *failed = lstm_edge_open(&model, arguments[1], NULL);
    if (!failed || model.session) return fprintf(stderr, "it opens\n"), 1;
    if (n == 59) fprintf(stderr, "%s\n", failed);
  }
  printf("%.0f\n", (most_bytes() - before) / 40);
  return 0;
}

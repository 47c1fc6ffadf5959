/* Answers texts that no command line can hold, such as those with NUL. Reads from standard input
   "T SIZE\n" and so many bytes (a text), "P SIZE\n" and bytes (a piece of the stream), "S 0\n" (a new
   stream); writes a probability for each T and P, and the share of known words. */
#include "lstm_edge.h"

int main(int count, char **arguments) {
  lstm_edge model;
  const char *failed = lstm_edge_open(&model, count > 1 ? arguments[1] : "", NULL);
  if (failed) return fprintf(stderr, "Error: %s\n", failed), 1;
  lstm_edge_state state = lstm_edge_new_state(&model);
  float probability[LSTM_EDGE_CLASSES];
  char kind;
  size_t size;
  while (!failed && scanf("%c %zu", &kind, &size) == 2 && getchar() == '\n') {
    char *text = malloc(size + 1);
    if (fread(text, 1, size, stdin) != size) return fprintf(stderr, "Error: the input is cut off\n"), 1;
    if (kind == 'S') {
      memset(state.h, 0, 2 * state.size * sizeof(float));
      failed = lstm_edge_score(&model, "", 0, probability);
    } else {
      failed = kind == 'T' ? lstm_edge_score(&model, text, size, probability)
                           : lstm_edge_push(&model, &state, text, size, probability);
      printf("%.9g\t%.17g\n", probability[0], model.known);
    }
    free(text);
  }
  lstm_edge_free_state(&state);
  lstm_edge_close(&model);
  return failed ? fprintf(stderr, "Error: %s\n", failed), 1 : 0;
}

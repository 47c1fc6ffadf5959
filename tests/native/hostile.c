/* Opens a file in the environment's locale, verifies it, scores and streams, and uses a model that is not open:
   prints what each says. */
#include <locale.h>

#include "lstm_edge_verify.h"

static const char *said(const char *failed) { return failed ? failed : "ok"; }

static void use(lstm_edge *model) {
  static const char *const texts[] = {"a good film", "", "\xff\xfe\x80 good", "good\0film"};
  static const size_t sizes[] = {11, 0, 8, 9};
  float probability[LSTM_EDGE_CLASSES];
  double worst;
  int count, moved = 0;
  printf("verify: %s\n", said(lstm_edge_verify(model, &count, &worst)));
  for (int n = 0; n < 4; n++) printf("score: %s\n", said(lstm_edge_score(model, texts[n], sizes[n], probability)));
  lstm_edge_state state = lstm_edge_new_state(model);
  printf("push: %s\n", said(lstm_edge_push(model, &state, "a good ", 7, probability)));
  for (size_t n = 0; n < state.size; n++) moved |= !(state.h[n] == 0 && state.c[n] == 0);
  printf("state: %s\n", moved ? "moved" : "as it was");
  lstm_edge_free_state(&state);
  lstm_edge_free_state(&state);
  if (model->streams) printf("freed: %s\n", said(lstm_edge_push(model, &state, "a good ", 7, probability)));
}

int main(int count, char **arguments) {
  lstm_edge model;
  if (count < 2) return 2;
  setlocale(LC_ALL, "");
  printf("point: %s\n", localeconv()->decimal_point);
  const char *failed = lstm_edge_open(&model, arguments[1], NULL);
  printf("open: %s\n", said(failed));
  use(&model);
  lstm_edge_close(&model);
  lstm_edge_close(&model);
  puts("closed");
  use(&model);
  return 0;
}

/* Verify a model, answer texts, read one in pieces:

       cc -std=c99 -D_DEFAULT_SOURCE -I HEADERS example.c -o example -ldl -lm
       ./example default.int8.onnx "A dull, lifeless mess."
       ./example default.int8.onnx --stream "I wanted to like it, " "but the plot makes no sense."

   HEADERS is the folder of onnxruntime_c_api.h. LSTM_EDGE_ONNXRUNTIME may name the library. */
#include "lstm_edge_verify.h"

static int fail(const char *message) {
  fprintf(stderr, "Error: %s\n", message);
  return 1;
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: %s MODEL [--stream] TEXT...\n", arguments[0]);
    return 2;
  }
  lstm_edge model;
  const char *failed = lstm_edge_open(&model, arguments[1], NULL);
  if (failed) return fail(failed); /* a model that did not open is closed */

  int references;
  double worst;
  if (!(failed = lstm_edge_verify(&model, &references, &worst)))
    fprintf(stderr, "%d reference answers, largest difference %.2g\n", references, worst);

  int streamed = count > 2 && !strcmp(arguments[2], "--stream");
  lstm_edge_state state = lstm_edge_new_state(&model);
  float probability[LSTM_EDGE_CLASSES];
  if (!failed) failed = lstm_edge_score(&model, "", 0, probability); /* what a stream says before its first word */
  for (int n = 2 + streamed; n < count && !failed; n++) {
    const char *text = arguments[n];
    failed = streamed ? lstm_edge_push(&model, &state, text, strlen(text), probability)
                      : lstm_edge_score(&model, text, strlen(text), probability);
    /* Of two labels the probability of the second, of more one for each. */
    for (size_t label = 0; label < model.classes && !failed; label++) printf("%.9g\t", probability[label]);
    if (!failed) printf("%s\n", text);
    if (!failed && !streamed && model.known == 0) fprintf(stderr, "warning: the model knows no word of: %s\n", text);
  }
  const int status = failed ? fail(failed) : 0; /* the message lasts as long as the model */
  lstm_edge_free_state(&state);
  lstm_edge_close(&model);
  return status;
}

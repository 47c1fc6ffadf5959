/* Sentiment of a text from a model file of lstm-edge, in C99, by one include.

   ONNX Runtime is loaded when it is needed (dlopen): its symbols carry its release, so a program that
   is linked to one release does not start with another. Wanted are onnxruntime_c_api.h of 1.17 or newer
   to compile, and a libonnxruntime of 1.17 or newer to run; -ldl on older systems. See example.c.

   Every function returns NULL, or what went wrong in one line that is valid until the next call.
   For Linux and macOS; one model may be used by one thread at a time. */
#ifndef LSTM_EDGE_H
#define LSTM_EDGE_H

#include <math.h>
#include <stdlib.h>

#include "lstm_edge_session.h"
#include "lstm_edge_text.h"

/* What a text that arrives in pieces leaves behind: `size` floats each. */
typedef struct {
  float *h, *c;
  size_t size;
} lstm_edge_state;

/* Zeros, from which every text starts; `h` is NULL when there is no memory left. None of a model without states,
   as lstm_edge_push says, or of one that is not open: its sizes are what a file says, and were not checked. */
static inline lstm_edge_state lstm_edge_new_state(const lstm_edge *model) {
  lstm_edge_state state = {NULL, NULL, 0};
  if (model->is_open && (model->streams || model->inputs > 1))
    state.size = (size_t)(model->state_shape[0] * model->state_shape[2]);
  state.h = (float *)calloc(2 * state.size, sizeof(float));
  state.c = state.h ? state.h + state.size : NULL;
  return state;
}

static inline void lstm_edge_free_state(lstm_edge_state *state) {
  free(state->h);
  state->h = state->c = NULL;
  state->size = 0;
}

/* The numbers of an output and how many there are; they are of `type`, whatever the file says of itself. */
static inline const char *lstm_edge_numbers(lstm_edge *model, OrtValue *value, ONNXTensorElementDataType type, size_t *count,
                                            void **numbers) {
  OrtTensorTypeAndShapeInfo *shape;
  ONNXTensorElementDataType found = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  LSTM_EDGE_TRY(GetTensorTypeAndShape(value, &shape));
  OrtStatus *status = model->ort->GetTensorElementType(shape, &found);
  if (!status) status = model->ort->GetTensorShapeElementCount(shape, count);
  model->ort->ReleaseTensorTypeAndShapeInfo(shape);
  const char *failed = lstm_edge_check(model, status);
  if (failed) return failed;
  if (found != type) return "an output is not what the file says";
  LSTM_EDGE_TRY(GetTensorMutableData(value, numbers));
  return NULL;
}

/* The same, of floats, of which there are `count`. */
static inline const char *lstm_edge_floats(lstm_edge *model, OrtValue *value, size_t count, float **values) {
  size_t found = 0;
  void *numbers;
  const char *failed = lstm_edge_numbers(model, value, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &found, &numbers);
  if (failed) return failed;
  *values = (float *)numbers;
  return found == count ? NULL : "an output is not what the file says";
}

/* Count the words with an id in the outputs ids and matches. */
static inline const char *lstm_edge_count(lstm_edge *model, OrtValue *const *out) {
  size_t count = 0, length, known = 0, words = 0;
  void *numbers;
  const char *failed = lstm_edge_numbers(model, out[0], ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &count, &numbers);
  for (size_t n = 0; n < count && !failed; n++) {
    const int64_t id = ((const int64_t *)numbers)[n];
    known += id >= 0 && id != model->unknown;
    if (model->unknown < 0) { /* a word that is dropped has an id like padding, but letters */
      failed = lstm_edge_check(model, model->ort->GetStringTensorElementLength(out[1], n, &length));
      words += !failed && length > 0;
    } else words += id >= 0;
  }
  model->known = (float)((double)known / (double)(words ? words : 1));
  return failed;
}

/* Copy what ran out of the outputs: probability, tokens, hn, cn; or probability, ids, matches. A piece without a
   token is read as one unknown word; in a stream it leaves state and answer as they are, and so does a failure. */
static inline const char *lstm_edge_take(lstm_edge *model, OrtValue **out, float *probability, lstm_edge_state *state) {
  float *values, *h, *c;
  const char *failed;
  if (state) {
    size_t length;
    LSTM_EDGE_TRY(GetStringTensorElementLength(out[1], 0, &length));
    if (!length) return NULL;
  } else if (out[1] && (failed = lstm_edge_count(model, out + 1))) return failed;
  if ((failed = lstm_edge_floats(model, out[0], model->classes, &values))) return failed;
  for (size_t n = 0; n < model->classes; n++)
    if (!isfinite(values[n])) return "an answer is not a number";
  if (state) {
    if ((failed = lstm_edge_floats(model, out[2], state->size, &h))) return failed;
    if ((failed = lstm_edge_floats(model, out[3], state->size, &c))) return failed;
    memcpy(state->h, h, state->size * sizeof(float));
    memcpy(state->c, c, state->size * sizeof(float));
  }
  memcpy(probability, values, model->classes * sizeof(float));
  return NULL;
}

/* Run one cleaned text, from `state` when there is one; from zeros, which `start` is, in a file that asks for them. */
static inline const char *lstm_edge_run(lstm_edge *model, const char *clean, float *probability, lstm_edge_state *state,
                                        const lstm_edge_state *start) {
  static const char *const inputs[] = {"text", "h0", "c0"};
  const char *const in_a_stream[] = {"probability", "tokens", "hn", "cn"};
  const char *const alone[] = {"probability", model->front_end.ids, model->front_end.matches};
  const size_t outputs = state ? 4 : !model->front_end.ids[0] ? 1 : model->unknown < 0 ? 3 : 2;
  const int64_t one = 1;
  OrtValue *in[3] = {NULL, NULL, NULL}, *out[4] = {NULL, NULL, NULL, NULL};
  const OrtApi *ort = model->ort;
  OrtStatus *status = ort->CreateTensorAsOrtValue(model->allocator, &one, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &in[0]);
  if (!status) status = ort->FillStringTensor(in[0], &clean, 1);
  for (int n = 1; n < 3 && start->h && !status; n++)
    status = ort->CreateTensorWithDataAsOrtValue(model->memory, n == 1 ? start->h : start->c, start->size * sizeof(float),
                                                 model->state_shape, 3, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in[n]);
  const OrtValue *const given[] = {in[0], in[1], in[2]};
  if (!status)
    status = ort->Run(model->session, NULL, inputs, given, start->h ? 3 : 1, state ? in_a_stream : alone, outputs, out);
  model->known = NAN;
  const char *failed = lstm_edge_check(model, status);
  if (!failed) failed = lstm_edge_take(model, out, probability, state);
  for (int n = 0; n < 3; n++) ort->ReleaseValue(in[n]);
  for (int n = 0; n < 4; n++) ort->ReleaseValue(out[n]);
  return failed;
}

/* Read the next piece of a text, `size` bytes of UTF-8 that end between two words: a word that is cut
   would be read as two. `probability` has a value per class. It and the state stay as they are where a piece
   has no token, and where this fails. */
static inline const char *lstm_edge_push(lstm_edge *model, lstm_edge_state *state, const char *text, size_t size,
                                         float *probability) {
  if (!model->is_open) return "the model is not open";
  if (state && !model->streams) return "the model file has no states: it cannot continue a text";
  if (state && !state->h) return "the state is not there: it was freed, or there was no memory left";
  const int from_zeros = !state && model->inputs > 1;
  lstm_edge_state zeros = {NULL, NULL, 0};
  if (from_zeros) zeros = lstm_edge_new_state(model);
  char *clean = (char *)malloc(3 * size + 1);
  const char *failed = "no memory left";
  if (clean && (zeros.h || !from_zeros)) {
    lstm_edge_replace_unportable(text, size, clean);
    failed = lstm_edge_run(model, clean, probability, state, state ? state : &zeros);
  }
  free(clean);
  lstm_edge_free_state(&zeros);
  return failed;
}

/* Answer a whole text, `size` bytes of UTF-8. `probability` gets a value per class, and `model->known` the
   share of its words that the model knows: an answer to a text of 0 says nothing. */
static inline const char *lstm_edge_score(lstm_edge *model, const char *text, size_t size, float *probability) {
  return lstm_edge_push(model, NULL, text, size, probability);
}

#endif

/* Sentiment of a text from a model file of lstm-edge, in C99, by one header.

   ONNX Runtime is loaded when it is needed (dlopen): its symbols carry its release, so a program that
   is linked to one release does not start with another. Wanted are onnxruntime_c_api.h of 1.17 or newer
   to compile, and a libonnxruntime of 1.17 or newer to run; -ldl on older systems. See example.c.

   Every function returns NULL, or what went wrong in one line that is valid until the next call.
   For Linux and macOS; one model may be used by one thread at a time. */
#ifndef LSTM_EDGE_H
#define LSTM_EDGE_H

#include <dlfcn.h>
#include <math.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "lstm_edge_graph.h"
#include "lstm_edge_text.h"

enum { LSTM_EDGE_API = 17, LSTM_EDGE_CLASSES = 64 };

/* An opened model; one class: the probability of the second label. */
typedef struct {
  const OrtApi *ort;
  OrtEnv *env;
  OrtSession *session;
  OrtAllocator *allocator;
  OrtMemoryInfo *memory;
  int is_open;
  size_t classes;
  size_t inputs; /* 3 where the file asks for states with every text, else 1 */
  int streams; /* whether the file has states, so that a text can be continued */
  int64_t state_shape[3]; /* layers, 1, hidden */
  lstm_edge_front_end front_end;
  int64_t unknown; /* id of every word outside the vocabulary; -1 where such words are dropped */
  float known; /* share of the words of the text scored last that the model knows, 0 of none; else NaN */
  char error[256];
} lstm_edge;

/* What a text that arrives in pieces leaves behind: `size` floats each. */
typedef struct {
  float *h, *c;
  size_t size;
} lstm_edge_state;

/* Take an OrtStatus: NULL when all is well, else its message. */
static inline const char *lstm_edge_check(lstm_edge *model, OrtStatus *status) {
  if (!status) return NULL;
  snprintf(model->error, sizeof model->error, "%s", model->ort->GetErrorMessage(status));
  model->error[strcspn(model->error, "\n")] = 0;
  model->ort->ReleaseStatus(status);
  return model->error;
}

#define LSTM_EDGE_TRY(call)                                            \
  do {                                                                 \
    const char *try_failed = lstm_edge_check(model, model->ort->call); \
    if (try_failed) return try_failed;                                 \
  } while (0)

/* Load the library: `name`, or when NULL the system's. Nothing of it phones home: the environment says
   so before it is loaded, unless the program has said otherwise. */
static inline const char *lstm_edge_load(lstm_edge *model, const char *name) {
  setenv("ORT_DISABLE_TELEMETRY", "1", 0);
  if (!name) name = getenv("LSTM_EDGE_ONNXRUNTIME");
  if (name && !*name) name = NULL;  /* dlopen("") is the program itself */
#ifdef __APPLE__
  if (!name) name = "libonnxruntime.dylib";
#else
  if (!name) name = "libonnxruntime.so.1";
#endif
  void *library = dlopen(name, RTLD_NOW);
  if (!library) return dlerror();
  const OrtApiBase *(*base)(void);
  *(void **)&base = dlsym(library, "OrtGetApiBase");
  if (!base) return "this library is not ONNX Runtime";
  model->ort = base()->GetApi(LSTM_EDGE_API);
  return model->ort ? NULL : "this ONNX Runtime is older than 1.17";
}

/* A property of the file's metadata, JSON; to be freed with the model's allocator. NULL: there is none. */
static inline const char *lstm_edge_property(lstm_edge *model, const char *name, char **value) {
  OrtModelMetadata *metadata;
  LSTM_EDGE_TRY(SessionGetModelMetadata(model->session, &metadata));
  OrtStatus *status = model->ort->ModelMetadataLookupCustomMetadataMap(metadata, model->allocator, name, value);
  model->ort->ReleaseModelMetadata(metadata);
  const char *failed = lstm_edge_check(model, status);
  return failed ? failed : *value ? NULL : "not a model file of lstm-export: it carries no lstm-edge metadata";
}

/* The whole number behind "name": in a flat JSON object. */
static inline int64_t lstm_edge_number(const char *json, const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\": ", name);
  const char *at = strstr(json, key);
  return at ? strtoll(at + strlen(key), NULL, 10) : 0;
}

/* Make a session of a file, with the outputs that tell how much of a text is known. */
static inline const char *lstm_edge_session(lstm_edge *model, const char *path, const OrtSessionOptions *options) {
  FILE *file = fopen(path, "rb");
  if (!file) return "the model file cannot be opened";
  size_t size = 0, room = 1 << 20, more;
  unsigned char *data = (unsigned char *)malloc(room + LSTM_EDGE_MORE), *larger = data;
  while (larger && (more = fread(data + size, 1, room - size, file))) {
    if ((size += more) < room) continue;
    if ((larger = (unsigned char *)realloc(data, (room *= 2) + LSTM_EDGE_MORE))) data = larger;
  }
  const char *failed = larger ? ferror(file) ? "the model file cannot be read" : NULL : "no memory left";
  fclose(file);
  if (!failed) {
    lstm_edge_bytes whole = {data, size};
    model->front_end = lstm_edge_find_front_end(whole);
    size += lstm_edge_more_outputs(&model->front_end, data + size);
    failed = lstm_edge_check(model, model->ort->CreateSessionFromArray(model->env, data, size, options, &model->session));
  }
  free(data);
  return failed;
}

/* A guest's settings: one thread, bounded memory, silence, the graph as it was written. */
static inline const char *lstm_edge_as_guest(lstm_edge *model, OrtSessionOptions *options) {
  LSTM_EDGE_TRY(SetIntraOpNumThreads(options, 1));
  LSTM_EDGE_TRY(SetSessionLogSeverityLevel(options, ORT_LOGGING_LEVEL_FATAL));
  LSTM_EDGE_TRY(SetSessionGraphOptimizationLevel(options, ORT_DISABLE_ALL));
  LSTM_EDGE_TRY(DisableCpuMemArena(options));
  LSTM_EDGE_TRY(DisableMemPattern(options));
  return NULL;
}

/* Whether the file takes text, by the names of its inputs, and has states, by those of its outputs. */
static inline const char *lstm_edge_interface(lstm_edge *model) {
  const OrtApi *ort = model->ort;
  size_t outputs;
  int text = 0;
  LSTM_EDGE_TRY(SessionGetInputCount(model->session, &model->inputs));
  LSTM_EDGE_TRY(SessionGetOutputCount(model->session, &outputs));
  for (size_t n = 0; n < model->inputs + outputs; n++) {
    char *name;
    const int is_input = n < model->inputs;
    OrtStatus *status = is_input ? ort->SessionGetInputName(model->session, n, model->allocator, &name)
                                 : ort->SessionGetOutputName(model->session, n - model->inputs, model->allocator, &name);
    const char *failed = lstm_edge_check(model, status);
    if (failed) return failed;
    if (is_input) text |= !strcmp(name, "text");
    else model->streams |= !strcmp(name, "hn");
    LSTM_EDGE_TRY(AllocatorFree(model->allocator, name));
  }
  return text ? NULL : "the model file takes ids, not text";
}

/* Open; what is there when that fails is lstm_edge_open's to close. */
static inline const char *lstm_edge_try_open(lstm_edge *model, const char *path, const char *library) {
  const char *failed = lstm_edge_load(model, library);
  if (failed) return failed;
  OrtSessionOptions *options;
  LSTM_EDGE_TRY(CreateEnv(ORT_LOGGING_LEVEL_FATAL, "lstm-edge", &model->env));
  LSTM_EDGE_TRY(CreateSessionOptions(&options));
  failed = lstm_edge_as_guest(model, options);
  if (!failed) failed = lstm_edge_session(model, path, options);
  model->ort->ReleaseSessionOptions(options);
  if (failed) return failed;
  LSTM_EDGE_TRY(GetAllocatorWithDefaultOptions(&model->allocator));
  LSTM_EDGE_TRY(CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &model->memory));
  char *sizes, *tokenizer;
  if ((failed = lstm_edge_property(model, "architecture", &sizes))) return failed;
  model->classes = (size_t)lstm_edge_number(sizes, "classes");
  model->state_shape[0] = lstm_edge_number(sizes, "n_layers");
  model->state_shape[1] = 1;
  model->state_shape[2] = lstm_edge_number(sizes, "hidden_dim");
  LSTM_EDGE_TRY(AllocatorFree(model->allocator, sizes));
  if ((failed = lstm_edge_interface(model))) return failed;
  if ((failed = lstm_edge_property(model, "tokenizer", &tokenizer))) return failed;
  model->unknown = strstr(tokenizer, "\"unknown\": null") ? -1 : lstm_edge_number(tokenizer, "unknown");
  LSTM_EDGE_TRY(AllocatorFree(model->allocator, tokenizer));
  if (model->classes > LSTM_EDGE_CLASSES) return "the model has too many classes for this header";
  model->is_open = model->classes > 0 && lstm_edge_allocatable(model->state_shape);
  return model->is_open ? NULL : "the model file's metadata is damaged";
}

/* Free what the model holds; again, or after lstm_edge_open failed, there is nothing left to free. */
static inline void lstm_edge_close(lstm_edge *model) {
  if (!model->ort) return;
  model->ort->ReleaseMemoryInfo(model->memory);
  model->ort->ReleaseSession(model->session);
  model->ort->ReleaseEnv(model->env);
  model->ort = NULL;
  model->session = NULL;
  model->is_open = 0;
}

/* Open a model file that takes text. `library` is a path of libonnxruntime; NULL for the system's. A model that
   could not be opened is closed. */
static inline const char *lstm_edge_open(lstm_edge *model, const char *path, const char *library) {
  memset(model, 0, sizeof *model);
  const char *failed = lstm_edge_try_open(model, path, library);
  if (failed) lstm_edge_close(model);
  return failed;
}

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

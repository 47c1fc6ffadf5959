/* A session of a model file: ONNX Runtime is loaded, the file opened and what it says of itself read. */
#ifndef LSTM_EDGE_SESSION_H
#define LSTM_EDGE_SESSION_H

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "lstm_edge_graph.h"

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

#endif

/* As much of ONNX Runtime as the operator calls, so that sanitizers see our code only. */
#include "kernel.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Status { int code; char message[200]; };
/* A value of strings holds all letters in `data`, and where each string starts. */
struct Value { int type; size_t rank; int64_t shape[6]; void *data; size_t letters, *start; };
enum { MOST_INPUTS = IN_LAYERS + LAYER_INPUTS * (MOST_LAYERS + 1) };
struct KernelInfo {
    int64_t hidden, layers, unknown, empty;
    const char *direction;
    int coupled, clipped;
    Value *constant[MOST_INPUTS];
};
struct KernelContext { Value *input[MOST_INPUTS]; Value *output[OUTPUTS]; int wanted[OUTPUTS]; int type[OUTPUTS]; };

static size_t bytes_of(const Value *v) {
    size_t count = v->type == TYPE_INT8 || v->type == TYPE_UINT8 ? 1 : v->type == TYPE_INT64 ? 8 : 4;
    for (size_t n = 0; n < v->rank; n++) count *= (size_t)v->shape[n];
    return count;
}

static Value *new_value(int type, size_t rank, const int64_t *shape) {
    Value *v = calloc(1, sizeof *v);
    v->type = type;
    v->rank = rank;
    memcpy(v->shape, shape, rank * sizeof *shape);
    v->data = malloc(bytes_of(v)); /* of the exact size, so that a byte too far is seen */
    return v;
}

static void free_value(Value *v) {
    if (v) free(v->data);
    free(v);
}

static Status *create_status(int code, const char *message) {
    Status *s = malloc(sizeof *s);
    s->code = code;
    snprintf(s->message, sizeof s->message, "%s", message);
    return s;
}
static void release_status(Status *s) { free(s); }
static Status *get_data(Value *v, void **data) { *data = v->data; return NULL; }
static Status *get_info(const Value *v, TensorInfo **info) { *info = (TensorInfo *)v; return NULL; }
static void release_info(TensorInfo *info) { (void)info; }
static Status *get_type(const TensorInfo *i, int *type) { *type = ((const Value *)i)->type; return NULL; }
static Status *get_rank(const TensorInfo *i, size_t *rank) { *rank = ((const Value *)i)->rank; return NULL; }
static Status *get_shape(const TensorInfo *i, int64_t *shape, size_t count) {
    memcpy(shape, ((const Value *)i)->shape, count * sizeof *shape);
    return NULL;
}
static Status *get_float(const KernelInfo *k, const char *name, float *value) {
    if (strcmp(name, "clip") || !k->clipped) return create_status(ERROR_FAIL, "no such attribute");
    *value = 1;
    return NULL;
}
static Status *get_int(const KernelInfo *k, const char *name, int64_t *value) {
    *value = !strcmp(name, "hidden_size") ? k->hidden : !strcmp(name, "layers") ? k->layers :
             !strcmp(name, "unknown") ? k->unknown : !strcmp(name, "empty") ? k->empty : k->coupled;
    return NULL;
}
static Status *get_string(const KernelInfo *k, const char *name, char *value, size_t *size) {
    (void)name;
    const size_t needed = k->direction ? strlen(k->direction) + 1 : 0, room = *size;
    *size = needed ? needed : room;
    if (!needed || needed > room) return create_status(ERROR_FAIL, "no such attribute, or no room");
    memcpy(value, k->direction, needed);
    return NULL;
}
static Status *get_constant(const KernelInfo *k, size_t n, int *is, const Value **v) {
    if (n >= MOST_INPUTS) return create_status(ERROR_INVALID_ARGUMENT, "no such input");
    *is = k->constant[n] != NULL;
    *v = k->constant[n];
    return NULL;
}
static Status *count_inputs(const KernelContext *c, size_t *count) { (void)c; *count = MOST_INPUTS; return NULL; }
static Status *get_input(const KernelContext *c, size_t n, const Value **v) { *v = c->input[n]; return NULL; }
static Status *get_output(KernelContext *c, size_t n, const int64_t *shape, size_t rank, Value **v) {
    *v = c->output[n] = c->wanted[n] ? new_value(c->type[n] ? c->type[n] : TYPE_FLOAT, rank, shape) : NULL;
    return NULL;
}
static Status *get_letters_length(const Value *v, size_t *length) { *length = v->letters; return NULL; }
static Status *get_letters(const Value *v, void *to, size_t size, size_t *starts, size_t count) {
    if (size < v->letters || count != (size_t)v->shape[0]) return create_status(ERROR_INVALID_ARGUMENT, "no room");
    if (size) memcpy(to, v->data, size);
    memcpy(starts, v->start, count * sizeof *starts);
    return NULL;
}

static const Api fake_api = {
    .CreateStatus = create_status,
    .GetTensorMutableData = get_data,
    .GetStringTensorDataLength = get_letters_length,
    .GetStringTensorContent = get_letters,
    .GetTensorElementType = get_type,
    .GetDimensionsCount = get_rank,
    .GetDimensions = get_shape,
    .GetTensorTypeAndShape = get_info,
    .KernelInfoGetAttribute_float = get_float,
    .KernelInfoGetAttribute_int64 = get_int,
    .KernelInfoGetAttribute_string = get_string,
    .KernelContext_GetInputCount = count_inputs,
    .KernelContext_GetInput = get_input,
    .KernelContext_GetOutput = get_output,
    .ReleaseStatus = release_status,
    .ReleaseTensorTypeAndShapeInfo = release_info,
    .KernelInfoGetConstantInput_tensor = get_constant,
};

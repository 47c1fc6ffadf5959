/* ONNX Runtime's values as tensors, and its errors as ours. */
#ifndef TENSOR_H
#define TENSOR_H

#include "ort_api.h"

/* Return from the calling function with an error. */
#define TRY(call)                            \
    do {                                     \
        Status *status_ = (call);            \
        if (status_) return status_;         \
    } while (0)
#define REQUIRE(api, condition, code, message)                              \
    do {                                                                    \
        if (!(condition)) return (api)->CreateStatus((code), (message));    \
    } while (0)

enum { MOST_AXES = 4 };

/* A tensor's data and what it is; all zero for an input that was left out. */
typedef struct {
    void *data;
    int type;
    size_t rank;
    int64_t shape[MOST_AXES];
    int64_t size; /* elements */
} Tensor;

/* All but the data, which strings have none of. */
Status *read_shape_of(const Api *api, const Value *value, Tensor *t);

Status *read_tensor(const Api *api, const Value *value, Tensor *t);

/* The initializer that is an operator's input; all zero where there is none. */
Status *read_constant(const Api *api, const KernelInfo *info, size_t input, Tensor *t);

Status *read_input(const Api *api, const KernelContext *context, size_t input, Tensor *t);

/* The value itself; NULL for an input that was left out. */
Status *find_input(const Api *api, const KernelContext *context, size_t input, const Value **value);

/* Make an output; *data is NULL where nobody wants it. */
Status *make_output(const Api *api, KernelContext *context, size_t output, const int64_t *shape,
                    size_t rank, void **data);

/* Whether a tensor has this type and exactly these axes, which SHAPE lists. */
enum { END = -1 };
int is_shaped(const Tensor *t, int type, const int64_t *shape);
#define SHAPE(...) ((const int64_t[]){__VA_ARGS__, END})

#endif

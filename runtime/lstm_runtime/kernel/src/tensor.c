#include "tensor.h"

static Status *read_shape(const Api *api, const TensorInfo *info, Tensor *t) {
    TRY(api->GetTensorElementType(info, &t->type));
    TRY(api->GetDimensionsCount(info, &t->rank));
    REQUIRE(api, t->rank <= MOST_AXES, ERROR_INVALID_ARGUMENT, "an input of the LSTM has more than four axes");
    TRY(api->GetDimensions(info, t->shape, t->rank));
    t->size = 1;
    for (size_t n = 0; n < t->rank; n++) t->size *= t->shape[n];
    return NULL;
}

Status *read_tensor(const Api *api, const Value *value, Tensor *t) {
    *t = (Tensor){0};
    if (!value) return NULL;
    TensorInfo *info = NULL;
    TRY(api->GetTensorTypeAndShape(value, &info));
    Status *status = read_shape(api, info, t);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (status) return status;
    return api->GetTensorMutableData((Value *)value, &t->data);
}

Status *read_constant(const Api *api, const KernelInfo *info, size_t input, Tensor *t) {
    int is_constant = 0;
    const Value *value = NULL;
    TRY(api->KernelInfoGetConstantInput_tensor(info, input, &is_constant, &value));
    return read_tensor(api, is_constant ? value : NULL, t);
}

Status *read_input(const Api *api, const KernelContext *context, size_t input, Tensor *t) {
    size_t count = 0;
    const Value *value = NULL;
    TRY(api->KernelContext_GetInputCount(context, &count));
    if (input < count) TRY(api->KernelContext_GetInput(context, input, &value));
    return read_tensor(api, value, t);
}

Status *make_output(const Api *api, KernelContext *context, size_t output, const int64_t *shape,
                    size_t rank, float **data) {
    Value *value = NULL;
    void *at = NULL;
    TRY(api->KernelContext_GetOutput(context, output, shape, rank, &value));
    if (value) TRY(api->GetTensorMutableData(value, &at));
    *data = at;
    return NULL;
}

int is_shaped(const Tensor *t, int type, const int64_t *shape) {
    size_t n = 0;
    if (t->type != type) return 0;
    for (; shape[n] != END; n++)
        if (n >= t->rank || t->shape[n] != shape[n]) return 0;
    return n == t->rank;
}

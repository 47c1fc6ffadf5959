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

Status *read_shape_of(const Api *api, const Value *value, Tensor *t) {
    *t = (Tensor){0};
    if (!value) return NULL;
    TensorInfo *info = NULL;
    TRY(api->GetTensorTypeAndShape(value, &info));
    Status *status = read_shape(api, info, t);
    api->ReleaseTensorTypeAndShapeInfo(info);
    return status;
}

Status *read_tensor(const Api *api, const Value *value, Tensor *t) {
    TRY(read_shape_of(api, value, t));
    return value ? api->GetTensorMutableData((Value *)value, &t->data) : NULL;
}

Status *read_constant(const Api *api, const KernelInfo *info, size_t input, Tensor *t) {
    int is_constant = 0;
    const Value *value = NULL;
    TRY(api->KernelInfoGetConstantInput_tensor(info, input, &is_constant, &value));
    return read_tensor(api, is_constant ? value : NULL, t);
}

Status *find_input(const Api *api, const KernelContext *context, size_t input, const Value **value) {
    size_t count = 0;
    *value = NULL;
    TRY(api->KernelContext_GetInputCount(context, &count));
    return input < count ? api->KernelContext_GetInput(context, input, value) : NULL;
}

Status *read_input(const Api *api, const KernelContext *context, size_t input, Tensor *t) {
    const Value *value;
    TRY(find_input(api, context, input, &value));
    return read_tensor(api, value, t);
}

Status *make_output(const Api *api, KernelContext *context, size_t output, const int64_t *shape,
                    size_t rank, void **data) {
    Value *value = NULL;
    *data = NULL;
    TRY(api->KernelContext_GetOutput(context, output, shape, rank, &value));
    return value ? api->GetTensorMutableData(value, data) : NULL;
}

int is_shaped(const Tensor *t, int type, const int64_t *shape) {
    size_t n = 0;
    if (t->type != type) return 0;
    for (; shape[n] != END; n++)
        if (n >= t->rank || t->shape[n] != shape[n]) return 0;
    return n == t->rank;
}

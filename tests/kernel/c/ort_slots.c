/* Compiles where our hand-written tables agree with ONNX Runtime's own header. */
#include "ort_api.h"
#include <onnxruntime_c_api.h>

#define SAME(ours, theirs, ...)                                                         \
    _Static_assert(offsetof(ours, __VA_ARGS__) == offsetof(theirs, __VA_ARGS__), #__VA_ARGS__)
#define SLOT(name) SAME(Api, OrtApi, name)
#define OP(name) SAME(CustomOp, OrtCustomOp, name)

SLOT(CreateStatus);
SLOT(CreateCustomOpDomain);
SLOT(CustomOpDomain_Add);
SLOT(AddCustomOpDomain);
SLOT(GetTensorMutableData);
SLOT(GetStringTensorDataLength);
SLOT(GetStringTensorContent);
SLOT(GetTensorElementType);
SLOT(GetDimensionsCount);
SLOT(GetDimensions);
SLOT(GetTensorTypeAndShape);
SLOT(KernelInfoGetAttribute_float);
SLOT(KernelInfoGetAttribute_int64);
SLOT(KernelInfoGetAttribute_string);
SLOT(KernelContext_GetInputCount);
SLOT(KernelContext_GetInput);
SLOT(KernelContext_GetOutput);
SLOT(ReleaseStatus);
SLOT(ReleaseTensorTypeAndShapeInfo);
SLOT(ReleaseCustomOpDomain);
SLOT(KernelInfoGetConstantInput_tensor);

OP(version);
OP(CreateKernel);
OP(GetName);
OP(GetExecutionProviderType);
OP(GetInputType);
OP(GetInputTypeCount);
OP(GetOutputType);
OP(GetOutputTypeCount);
OP(KernelCompute);
OP(KernelDestroy);
OP(GetInputCharacteristic);
OP(GetOutputCharacteristic);
OP(GetInputMemoryType);
OP(GetVariadicInputMinArity);
OP(GetVariadicInputHomogeneity);
OP(GetVariadicOutputMinArity);
OP(GetVariadicOutputHomogeneity);
OP(CreateKernelV2);
OP(KernelComputeV2);
OP(InferOutputShapeFn);
OP(GetStartVersion);
OP(GetEndVersion);

_Static_assert(offsetof(ApiBase, GetApi) == offsetof(OrtApiBase, GetApi), "GetApi");
_Static_assert(TYPE_FLOAT == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float");
_Static_assert(TYPE_INT8 == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, "int8");
_Static_assert(TYPE_INT32 == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32");
_Static_assert(TYPE_UINT8 == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, "uint8");
_Static_assert(TYPE_INT64 == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64");
_Static_assert(TYPE_STRING == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, "string");
_Static_assert(TYPE_ANY == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, "any");
_Static_assert(INPUT_REQUIRED == INPUT_OUTPUT_REQUIRED, "required");
_Static_assert(INPUT_OPTIONAL == INPUT_OUTPUT_OPTIONAL, "optional");
_Static_assert(INPUT_VARIADIC == INPUT_OUTPUT_VARIADIC, "variadic");
_Static_assert(ERROR_FAIL == ORT_FAIL, "fail");
_Static_assert(ERROR_INVALID_ARGUMENT == ORT_INVALID_ARGUMENT, "invalid argument");
_Static_assert(ERROR_NOT_IMPLEMENTED == ORT_NOT_IMPLEMENTED, "not implemented");

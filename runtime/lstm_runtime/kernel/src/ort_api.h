/* The part of ONNX Runtime's C interface that a custom operator needs, declared by hand so that
   nothing has to be installed to compile this. Its tables are only ever appended to, so places
   and types stay; tests/kernel/test_ort_api.py holds them against the real header where there is
   one. Names are those of onnxruntime_c_api.h without "Ort". */
#ifndef ORT_API_H
#define ORT_API_H

#include <stddef.h>
#include <stdint.h>

#if defined _WIN32
#define ORT_CALL __stdcall
#define EXPORT __declspec(dllexport)
#else
#define ORT_CALL
#define EXPORT __attribute__((visibility("default")))
#endif

/* The version that this is written for: ONNX Runtime 1.17, and what every later one still gives. */
enum { ORT_VERSION = 17 };

enum { TYPE_ANY = 0, TYPE_FLOAT = 1, TYPE_UINT8 = 2, TYPE_INT8 = 3, TYPE_INT32 = 6, TYPE_INT64 = 7, TYPE_STRING = 8 };
enum { INPUT_REQUIRED = 0, INPUT_OPTIONAL = 1, INPUT_VARIADIC = 2 };
enum { ERROR_FAIL = 1, ERROR_INVALID_ARGUMENT = 2, ERROR_NOT_IMPLEMENTED = 9 };

typedef struct Status Status;
typedef struct KernelInfo KernelInfo;
typedef struct KernelContext KernelContext;
typedef struct Value Value;
typedef struct TensorInfo TensorInfo;
typedef struct CustomOpDomain CustomOpDomain;
typedef struct SessionOptions SessionOptions;
typedef struct CustomOp CustomOp;

/* A table of functions; `unused` are the ones between those that are needed. */
typedef struct {
    Status *(ORT_CALL *CreateStatus)(int code, const char *message); /* 0 */
    void *unused_1[25];
    Status *(ORT_CALL *CreateCustomOpDomain)(const char *domain, CustomOpDomain **); /* 26 */
    Status *(ORT_CALL *CustomOpDomain_Add)(CustomOpDomain *, const CustomOp *);
    Status *(ORT_CALL *AddCustomOpDomain)(SessionOptions *, CustomOpDomain *);
    void *unused_29[22];
    Status *(ORT_CALL *GetTensorMutableData)(Value *, void **); /* 51 */
    void *unused_52[1];
    Status *(ORT_CALL *GetStringTensorDataLength)(const Value *, size_t *); /* 53 */
    Status *(ORT_CALL *GetStringTensorContent)(const Value *, void *, size_t, size_t *, size_t);
    void *unused_55[5];
    Status *(ORT_CALL *GetTensorElementType)(const TensorInfo *, int *); /* 60 */
    Status *(ORT_CALL *GetDimensionsCount)(const TensorInfo *, size_t *);
    Status *(ORT_CALL *GetDimensions)(const TensorInfo *, int64_t *, size_t);
    void *unused_63[2];
    Status *(ORT_CALL *GetTensorTypeAndShape)(const Value *, TensorInfo **); /* 65 */
    void *unused_66[19];
    Status *(ORT_CALL *KernelInfoGetAttribute_float)(const KernelInfo *, const char *, float *); /* 85 */
    Status *(ORT_CALL *KernelInfoGetAttribute_int64)(const KernelInfo *, const char *, int64_t *);
    Status *(ORT_CALL *KernelInfoGetAttribute_string)(const KernelInfo *, const char *, char *, size_t *);
    Status *(ORT_CALL *KernelContext_GetInputCount)(const KernelContext *, size_t *);
    void *unused_89[1];
    Status *(ORT_CALL *KernelContext_GetInput)(const KernelContext *, size_t, const Value **); /* 90 */
    Status *(ORT_CALL *KernelContext_GetOutput)(KernelContext *, size_t, const int64_t *, size_t, Value **);
    void *unused_92[1];
    void (ORT_CALL *ReleaseStatus)(Status *); /* 93 */
    void *unused_94[5];
    void (ORT_CALL *ReleaseTensorTypeAndShapeInfo)(TensorInfo *); /* 99 */
    void *unused_100[1];
    void (ORT_CALL *ReleaseCustomOpDomain)(CustomOpDomain *); /* 101 */
    void *unused_102[147];
    Status *(ORT_CALL *KernelInfoGetConstantInput_tensor)(const KernelInfo *, size_t, int *, const Value **); /* 249 */
} Api;

typedef struct {
    const Api *(ORT_CALL *GetApi)(uint32_t version); /* NULL for a version that it does not know */
    const char *(ORT_CALL *GetVersionString)(void);
} ApiBase;

/* A custom operator: what ONNX Runtime asks of it. */
struct CustomOp {
    uint32_t version;
    void *(ORT_CALL *CreateKernel)(const CustomOp *, const Api *, const KernelInfo *); /* the V2 below */
    const char *(ORT_CALL *GetName)(const CustomOp *);
    const char *(ORT_CALL *GetExecutionProviderType)(const CustomOp *);
    int (ORT_CALL *GetInputType)(const CustomOp *, size_t);
    size_t (ORT_CALL *GetInputTypeCount)(const CustomOp *);
    int (ORT_CALL *GetOutputType)(const CustomOp *, size_t);
    size_t (ORT_CALL *GetOutputTypeCount)(const CustomOp *);
    void (ORT_CALL *KernelCompute)(void *, KernelContext *); /* the V2 below */
    void (ORT_CALL *KernelDestroy)(void *);
    int (ORT_CALL *GetInputCharacteristic)(const CustomOp *, size_t);
    int (ORT_CALL *GetOutputCharacteristic)(const CustomOp *, size_t);
    int (ORT_CALL *GetInputMemoryType)(const CustomOp *, size_t);
    int (ORT_CALL *GetVariadicInputMinArity)(const CustomOp *);
    int (ORT_CALL *GetVariadicInputHomogeneity)(const CustomOp *);
    int (ORT_CALL *GetVariadicOutputMinArity)(const CustomOp *);
    int (ORT_CALL *GetVariadicOutputHomogeneity)(const CustomOp *);
    Status *(ORT_CALL *CreateKernelV2)(const CustomOp *, const Api *, const KernelInfo *, void **);
    Status *(ORT_CALL *KernelComputeV2)(void *, KernelContext *);
    Status *(ORT_CALL *InferOutputShapeFn)(const CustomOp *, void *);
    int (ORT_CALL *GetStartVersion)(const CustomOp *);
    int (ORT_CALL *GetEndVersion)(const CustomOp *);
    void *later[8]; /* read for versions that we do not claim */
};

#endif

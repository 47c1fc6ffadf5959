/* The operator as ONNX Runtime sees it, and the library's two entry points.

   It has the domain and the name of the one that is built in. A session looks among its own custom
   operators first, so that this one takes its place there, for the unchanged file, and nowhere
   else in the process. */
#include "kernel.h"

static const char *ORT_CALL name(const CustomOp *op) { (void)op; return "DynamicQuantizeLSTM"; }
static const char *ORT_CALL provider(const CustomOp *op) { (void)op; return "CPUExecutionProvider"; }
static size_t ORT_CALL input_count(const CustomOp *op) { (void)op; return INPUTS; }
static size_t ORT_CALL output_count(const CustomOp *op) { (void)op; return OUTPUTS; }

static int ORT_CALL input_type(const CustomOp *op, size_t n) {
    (void)op;
    switch (n) {
    case IN_W: case IN_R: case IN_W_ZERO: case IN_R_ZERO: return TYPE_INT8;
    case IN_LENGTHS: return TYPE_INT32;
    default: return TYPE_FLOAT;
    }
}

static int ORT_CALL output_type(const CustomOp *op, size_t n) { (void)op; (void)n; return TYPE_FLOAT; }

static int ORT_CALL input_characteristic(const CustomOp *op, size_t n) {
    (void)op;
    return n >= IN_B && n <= IN_P ? INPUT_OPTIONAL : INPUT_REQUIRED;
}

static int ORT_CALL output_characteristic(const CustomOp *op, size_t n) { (void)op; (void)n; return INPUT_OPTIONAL; }
static int ORT_CALL default_memory(const CustomOp *op, size_t n) { (void)op; (void)n; return 0; }
static int ORT_CALL one(const CustomOp *op) { (void)op; return 1; }
static int ORT_CALL any_later(const CustomOp *op) { (void)op; return INT32_MAX; }

static const CustomOp dynamic_quantize_lstm = {
    .version = ORT_VERSION,
    .GetName = name,
    .GetExecutionProviderType = provider,
    .GetInputType = input_type,
    .GetInputTypeCount = input_count,
    .GetOutputType = output_type,
    .GetOutputTypeCount = output_count,
    .KernelDestroy = destroy_kernel,
    .GetInputCharacteristic = input_characteristic,
    .GetOutputCharacteristic = output_characteristic,
    .GetInputMemoryType = default_memory,
    .GetVariadicInputMinArity = one,
    .GetVariadicInputHomogeneity = one,
    .GetVariadicOutputMinArity = one,
    .GetVariadicOutputHomogeneity = one,
    .CreateKernelV2 = create_kernel,
    .KernelComputeV2 = compute_kernel,
    .GetStartVersion = one,
    .GetEndVersion = any_later,
};

/* The name of the instruction set that new sessions will use; "" where there is none. */
EXPORT const char *lstm_edge_instruction_set(void) {
    const InstructionSet *set = instruction_set_in_use();
    return set ? set->name : "";
}

/* What ONNX Runtime calls for register_custom_ops_library, perhaps from several threads. The
   domain is made once and lives as long as the process: sessions keep a pointer to it. */
EXPORT Status *ORT_CALL RegisterCustomOps(SessionOptions *options, const ApiBase *base) {
    static _Atomic(CustomOpDomain *) only;
    const Api *api = base->GetApi(ORT_VERSION);
    if (!api) return NULL; /* older than 1.17: it keeps its own operator */
    CustomOpDomain *domain = atomic_load(&only), *none = NULL;
    if (!domain) {
        TRY(api->CreateCustomOpDomain("com.microsoft", &domain));
        TRY(api->CustomOpDomain_Add(domain, &dynamic_quantize_lstm));
        if (!atomic_compare_exchange_strong(&only, &none, domain)) {
            api->ReleaseCustomOpDomain(domain); /* another thread was first */
            domain = none;
        }
    }
    return api->AddCustomOpDomain(options, domain);
}

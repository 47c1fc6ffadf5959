/* The operators as ONNX Runtime sees them, and the library's two entry points.

   DynamicQuantizeLSTM has the domain and the name of the one that is built in. A session looks among
   its own custom operators first, so that this one takes its place there, for the unchanged file,
   and nowhere else in the process. The other two are in no file: lstm_runtime/model_file/fusing.py
   puts them, in memory, where many nodes do the same. */
#include "kernel.h"
#include "text.h"

static const char *ORT_CALL provider(const CustomOp *op) { (void)op; return "CPUExecutionProvider"; }
static int ORT_CALL required(const CustomOp *op, size_t n) { (void)op; (void)n; return INPUT_REQUIRED; }
static int ORT_CALL optional(const CustomOp *op, size_t n) { (void)op; (void)n; return INPUT_OPTIONAL; }
static int ORT_CALL default_memory(const CustomOp *op, size_t n) { (void)op; (void)n; return 0; }
static int ORT_CALL no(const CustomOp *op) { (void)op; return 0; }
static int ORT_CALL one(const CustomOp *op) { (void)op; return 1; }
static int ORT_CALL any_later(const CustomOp *op) { (void)op; return INT32_MAX; }
static int ORT_CALL floats(const CustomOp *op, size_t n) { (void)op; (void)n; return TYPE_FLOAT; }
static size_t ORT_CALL lstm_outputs(const CustomOp *op) { (void)op; return OUTPUTS; }

static const char *ORT_CALL lstm_name(const CustomOp *op) { (void)op; return "DynamicQuantizeLSTM"; }
static size_t ORT_CALL lstm_inputs(const CustomOp *op) { (void)op; return INPUTS; }

static int ORT_CALL lstm_input_type(const CustomOp *op, size_t n) {
    (void)op;
    switch (n) {
    case IN_W: case IN_R: case IN_W_ZERO: case IN_R_ZERO: return TYPE_INT8;
    case IN_LENGTHS: return TYPE_INT32;
    default: return TYPE_FLOAT;
    }
}

static int ORT_CALL lstm_input_kind(const CustomOp *op, size_t n) {
    (void)op;
    return n >= IN_B && n <= IN_P ? INPUT_OPTIONAL : INPUT_REQUIRED;
}

static const char *ORT_CALL embedded_name(const CustomOp *op) { (void)op; return "EmbeddedLSTM"; }
static size_t ORT_CALL embedded_inputs(const CustomOp *op) { (void)op; return IN_LAYERS + 1; }
static int ORT_CALL embedded_input_kind(const CustomOp *op, size_t n) { (void)op; return n == IN_LAYERS ? INPUT_VARIADIC : INPUT_REQUIRED; }

static int ORT_CALL embedded_input_type(const CustomOp *op, size_t n) {
    static const int type[] = {TYPE_INT64, TYPE_INT32, TYPE_INT8, TYPE_FLOAT, TYPE_ANY};
    (void)op;
    return type[n];
}

static const char *ORT_CALL text_name(const CustomOp *op) { (void)op; return "WordIds"; }
static size_t ORT_CALL text_inputs(const CustomOp *op) { (void)op; return TEXT_INPUTS; }
static size_t ORT_CALL text_outputs(const CustomOp *op) { (void)op; return TEXT_OUTPUTS; }
static int ORT_CALL text_input_type(const CustomOp *op, size_t n) { (void)op; return n == IN_TEXT ? TYPE_STRING : TYPE_UINT8; }
static int ORT_CALL text_output_type(const CustomOp *op, size_t n) { (void)op; return n == OUT_LENGTHS ? TYPE_INT32 : TYPE_INT64; }
static int ORT_CALL text_output_kind(const CustomOp *op, size_t n) { (void)op; return n == OUT_MATCHES ? INPUT_OPTIONAL : INPUT_REQUIRED; }

/* What all of them say. */
#define COMMON                                                                            \
    .version = ORT_VERSION, .GetExecutionProviderType = provider,                         \
    .GetInputMemoryType = default_memory, .GetVariadicInputMinArity = one,                \
    .GetVariadicInputHomogeneity = no, .GetVariadicOutputMinArity = one,                  \
    .GetVariadicOutputHomogeneity = one, .GetStartVersion = one, .GetEndVersion = any_later

static const CustomOp dynamic_quantize_lstm = {
    COMMON,
    .GetName = lstm_name,
    .GetInputType = lstm_input_type,
    .GetInputTypeCount = lstm_inputs,
    .GetOutputType = floats,
    .GetOutputTypeCount = lstm_outputs,
    .GetInputCharacteristic = lstm_input_kind,
    .GetOutputCharacteristic = optional,
    .CreateKernelV2 = create_kernel,
    .KernelComputeV2 = compute_kernel,
    .KernelDestroy = destroy_kernel,
};

static const CustomOp embedded_lstm = {
    COMMON,
    .GetName = embedded_name,
    .GetInputType = embedded_input_type,
    .GetInputTypeCount = embedded_inputs,
    .GetOutputType = floats,
    .GetOutputTypeCount = lstm_outputs,
    .GetInputCharacteristic = embedded_input_kind,
    .GetOutputCharacteristic = optional,
    .CreateKernelV2 = create_embedded,
    .KernelComputeV2 = compute_embedded,
    .KernelDestroy = destroy_kernel,
};

static const CustomOp word_ids = {
    COMMON,
    .GetName = text_name,
    .GetInputType = text_input_type,
    .GetInputTypeCount = text_inputs,
    .GetOutputType = text_output_type,
    .GetOutputTypeCount = text_outputs,
    .GetInputCharacteristic = required,
    .GetOutputCharacteristic = text_output_kind,
    .CreateKernelV2 = create_text,
    .KernelComputeV2 = compute_text,
    .KernelDestroy = destroy_text,
};

/* The name of the instruction set that new sessions will use; "" where there is none. */
EXPORT const char *lstm_edge_instruction_set(void) {
    const InstructionSet *set = instruction_set_in_use();
    return set ? set->name : "";
}

/* A domain of operators, which is made once and lives as long as the process: sessions keep a pointer
   to it. Several threads may ask at once. */
static Status *add_domain(const Api *api, SessionOptions *options, _Atomic(CustomOpDomain *) *only,
                          const char *name, const CustomOp *const ops[]) {
    CustomOpDomain *domain = atomic_load(only), *none = NULL;
    if (!domain) {
        TRY(api->CreateCustomOpDomain(name, &domain));
        for (; *ops; ops++) TRY(api->CustomOpDomain_Add(domain, *ops));
        if (!atomic_compare_exchange_strong(only, &none, domain)) {
            api->ReleaseCustomOpDomain(domain); /* another thread was first */
            domain = none;
        }
    }
    return api->AddCustomOpDomain(options, domain);
}

/* What ONNX Runtime calls for register_custom_ops_library. */
EXPORT Status *ORT_CALL RegisterCustomOps(SessionOptions *options, const ApiBase *base) {
    static const CustomOp *const theirs[] = {&dynamic_quantize_lstm, NULL}, *const own[] = {&embedded_lstm, &word_ids, NULL};
    static _Atomic(CustomOpDomain *) microsoft, lstm_edge;
    const Api *api = base->GetApi(ORT_VERSION);
    if (!api) return NULL; /* older than 1.17: it keeps its own operator */
    TRY(add_domain(api, options, &microsoft, "com.microsoft", theirs));
    return add_domain(api, options, &lstm_edge, "lstm_edge", own);
}

/* A node and a run from any bytes, for libFuzzer: shapes, types, attributes, floats of every bit
   pattern, and now and then something that does not fit. Whatever comes, the operator has to
   answer or refuse, and touch no byte that is not its own. */
#include "fake_ort.h"

typedef struct { const uint8_t *at, *end; } Bytes_;

static unsigned byte_(Bytes_ *b) { return b->at < b->end ? *b->at++ : 0; }
static int64_t up_to(Bytes_ *b, int most) { return byte_(b) % (unsigned)(most + 1); }

/* A tensor; once in a while of another type, rank or size. */
static Value *tensor(Bytes_ *b, int type, size_t rank, int64_t i, int64_t j, int64_t k) {
    int64_t shape[6] = {i, j, k, 1, 1, 1};
    switch (byte_(b)) {
    case 1: return NULL;
    case 2: type = type == TYPE_INT8 ? TYPE_FLOAT : TYPE_INT8; break;
    case 3: rank = (size_t)up_to(b, 6); break;
    case 4: shape[up_to(b, 2)] = up_to(b, 40); break;
    default: break;
    }
    Value *v = new_value(type, rank, shape);
    const size_t size = bytes_of(v), seed = byte_(b);
    /* int8 to seven bits, mostly, so that AVX2 takes it; floats small, mostly, or any bits. */
    for (size_t n = 0; n < size; n++) {
        const uint8_t raw = (uint8_t)(b->end > b->at ? b->at[(n * 31 + seed) % (size_t)(b->end - b->at)] : n);
        ((uint8_t *)v->data)[n] = v->type == TYPE_INT8 && seed ? (uint8_t)((raw & 127) - 64) : raw;
    }
    if (v->type == TYPE_FLOAT && seed % 4)
        for (size_t n = 0; n < size / 4; n++) ((float *)v->data)[n] = (float)((int)((n * 37 + seed) % 255) - 127) / 64;
    return v;
}

static void free_all(Value **values, size_t count) {
    for (size_t n = 0; n < count; n++) free_value(values[n]);
}

/* Layers in a row that read words: most of the time each as wide as the next one wants. */
static void fuzz_embedded(Bytes_ *b) {
    KernelInfo info = {.layers = up_to(b, 9)};
    const int64_t words = up_to(b, 30), steps = up_to(b, 20), batch = up_to(b, 20), first = up_to(b, 20);
    int64_t inputs = first;
    info.constant[IN_TABLE] = tensor(b, TYPE_INT8, 2, words, inputs, 0);
    info.constant[IN_TABLE_SCALE] = tensor(b, TYPE_FLOAT, 2, words, 1, 0);
    for (int64_t n = 0; n < info.layers; n++) {
        Value **in = &info.constant[IN_LAYERS + LAYER_INPUTS * n];
        const int64_t hidden = up_to(b, 20);
        in[0] = tensor(b, TYPE_INT8, 3, 1, inputs, 4 * hidden);
        in[1] = tensor(b, TYPE_INT8, 3, 1, hidden, 4 * hidden);
        in[2] = tensor(b, TYPE_FLOAT, 2, 1, 8 * hidden, 0);
        for (int which = 0; which < 2; which++) {
            in[3 + 2 * which] = tensor(b, TYPE_FLOAT, 2, 1, 4 * hidden, 0);
            Value *zero = in[4 + 2 * which] = tensor(b, TYPE_INT8, 2, 1, 4 * hidden, 0);
            if (zero && byte_(b) != 1) memset(zero->data, 0, bytes_of(zero));
        }
        inputs = byte_(b) == 1 ? hidden + 1 : hidden;
    }
    void *kernel = NULL;
    Status *status = create_embedded(NULL, &fake_api, &info, &kernel);
    if (!status) {
        KernelContext context = {.wanted = {byte_(b) % 2, byte_(b) % 2, byte_(b) % 2}};
        Value *ids = context.input[IN_IDS] = tensor(b, TYPE_INT64, 2, batch, steps, 0);
        Value *lengths = context.input[IN_IDS_LENGTHS] = tensor(b, TYPE_INT32, 1, batch, 0, 0);
        if (ids && ids->type == TYPE_INT64)
            for (size_t n = 0; n < bytes_of(ids) / 8; n++)
                ((int64_t *)ids->data)[n] = byte_(b) == 1 ? -1 : (int64_t)(n * n % (size_t)(words + 1));
        if (lengths && lengths->type == TYPE_INT32)
            for (size_t n = 0; n < bytes_of(lengths) / 4; n++)
                ((int32_t *)lengths->data)[n] = (int32_t)(n * 7 % (size_t)(steps + 1));
        context.input[IN_TABLE] = info.constant[IN_TABLE];
        context.input[IN_TABLE_SCALE] = info.constant[IN_TABLE_SCALE];
        Status *refused = compute_embedded(kernel, &context);
        if (refused) release_status(refused);
        context.input[IN_TABLE] = context.input[IN_TABLE_SCALE] = NULL;
        free_all(context.input, MOST_INPUTS);
        free_all(context.output, OUTPUTS);
        destroy_kernel(kernel);
    } else release_status(status);
    free_all(info.constant, MOST_INPUTS);
}

/* A part of what is left, as a tensor of bytes. */
static Value *raw(Bytes_ *b, size_t most) {
    const size_t left = (size_t)(b->end - b->at), size = most < left ? most : left;
    Value *v = new_value(TYPE_UINT8, 1, (int64_t[]){(int64_t)size});
    memcpy(v->data, b->at, size);
    b->at += size;
    return v;
}

/* Any texts, with a vocabulary out of any bytes. */
static void fuzz_text(Bytes_ *b) {
    KernelInfo info = {.unknown = up_to(b, 255), .empty = up_to(b, 255)};
    info.constant[IN_KEYS] = raw(b, (size_t)up_to(b, 255));
    info.constant[IN_VALUES] = raw(b, (size_t)up_to(b, 255));
    void *kernel = NULL;
    Status *status = create_text(NULL, &fake_api, &info, &kernel);
    free_all(info.constant, MOST_INPUTS);
    if (status) {
        release_status(status);
        return;
    }
    KernelContext context = {.wanted = {1, 1, byte_(b) % 2}, .type = {TYPE_INT64, TYPE_INT32, TYPE_INT64}};
    const int64_t batch = up_to(b, 5);
    size_t start[6];
    Value *text = context.input[IN_TEXT] = raw(b, 4096);
    text->letters = (size_t)text->shape[0];
    for (int64_t n = 0; n < batch; n++) start[n] = (size_t)n * text->letters / (size_t)batch;
    text->type = TYPE_STRING;
    text->shape[0] = batch;
    text->start = start;
    Status *refused = compute_text(kernel, &context);
    if (refused) release_status(refused);
    free_all(context.input, MOST_INPUTS);
    free_all(context.output, OUTPUTS);
    destroy_text(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const directions[] = {"forward", "reverse", "bidirectional", NULL, "sideways", "a direction of no sense"};
    static const char *const sets[] = {"", "portable", "avx2", "avxvnni", "avx512vnni"};
    Bytes_ bytes = {data, data + size}, *b = &bytes;
    setenv("LSTM_EDGE_KERNEL", sets[up_to(b, 4)], 1);
    switch (byte_(b) % 3) {
    case 1: fuzz_embedded(b); return 0;
    case 2: fuzz_text(b); return 0;
    }
    const int64_t hidden = up_to(b, 40), inputs = up_to(b, 40), steps = up_to(b, 20), batch = up_to(b, 20);
    KernelInfo info = {.hidden = byte_(b) == 1 ? -5 : hidden, .direction = directions[up_to(b, 5)],
                       .coupled = byte_(b) == 1, .clipped = byte_(b) == 1};
    const int64_t d = info.direction && !strcmp(info.direction, "bidirectional") ? 2 : 1;
    const size_t scale_rank = byte_(b) % 2 ? 2 : 1;
    info.constant[IN_W] = tensor(b, TYPE_INT8, 3, d, inputs, 4 * hidden);
    info.constant[IN_R] = tensor(b, TYPE_INT8, 3, d, hidden, 4 * hidden);
    info.constant[IN_B] = byte_(b) % 2 ? tensor(b, TYPE_FLOAT, 2, d, 8 * hidden, 0) : NULL;
    info.constant[IN_P] = byte_(b) == 1 ? tensor(b, TYPE_FLOAT, 2, d, 3 * hidden, 0) : NULL;
    for (int n = 0; n < 2; n++) {
        info.constant[n ? IN_R_SCALE : IN_W_SCALE] = tensor(b, TYPE_FLOAT, scale_rank, d, 4 * hidden, 0);
        Value *zero = info.constant[n ? IN_R_ZERO : IN_W_ZERO] = tensor(b, TYPE_INT8, scale_rank, d, 4 * hidden, 0);
        if (zero && byte_(b) != 1) memset(zero->data, 0, bytes_of(zero));
    }
    void *kernel = NULL;
    Status *status = create_kernel(NULL, &fake_api, &info, &kernel);
    free_all(info.constant, MOST_INPUTS); /* the kernel keeps nothing of them */
    for (int runs = 0; !status && runs < 2; runs++) {
        KernelContext context = {.wanted = {byte_(b) % 2, byte_(b) % 2, byte_(b) % 2}};
        context.input[IN_X] = tensor(b, TYPE_FLOAT, 3, steps, batch, inputs);
        if (byte_(b) % 2) context.input[IN_LENGTHS] = tensor(b, TYPE_INT32, 1, batch, 0, 0);
        if (context.input[IN_LENGTHS] && context.input[IN_LENGTHS]->type == TYPE_INT32 && byte_(b) != 1)
            for (size_t n = 0; n < bytes_of(context.input[IN_LENGTHS]) / 4; n++)
                ((int32_t *)context.input[IN_LENGTHS]->data)[n] = (int32_t)(n * 7 % (size_t)(steps + 1));
        if (byte_(b) % 2) context.input[IN_H0] = tensor(b, TYPE_FLOAT, 3, d, batch, hidden);
        if (byte_(b) % 2) context.input[IN_C0] = tensor(b, TYPE_FLOAT, 3, d, batch, hidden);
        Status *refused = compute_kernel(kernel, &context);
        if (refused) release_status(refused);
        free_all(context.input, MOST_INPUTS);
        free_all(context.output, OUTPUTS);
    }
    if (status) release_status(status);
    else destroy_kernel(kernel);
    return 0;
}

/* Reads a node's attributes and constant inputs, and refuses what the arithmetic cannot do: the
   session's creation then fails with the message, and the caller makes a stock one. */
#include "kernel.h"
#include "pack.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_UNITS = 1 << 15 }; /* sums of 2^15 products of two bytes fit in 32 bits */

#define REFUSE_UNLESS(api, condition, message) REQUIRE(api, condition, ERROR_NOT_IMPLEMENTED, "lstm-edge kernel: " message)

const InstructionSet *instruction_set_in_use(void) { return choose_instruction_set(getenv("LSTM_EDGE_KERNEL")); }

/* Whether a call for an attribute succeeded: one that is left out is reported as an error. */
static int found(const Api *api, Status *status) {
    if (status) api->ReleaseStatus(status);
    return !status;
}

static Status *read_attributes(Kernel *k, const KernelInfo *info, int64_t *hidden) {
    const Api *api = k->api;
    int64_t coupled = 0;
    float clip = 0;
    char direction[16] = "forward";
    size_t size = sizeof direction;
    TRY(api->KernelInfoGetAttribute_int64(info, "hidden_size", hidden));
    REFUSE_UNLESS(api, *hidden > 0 && *hidden < MOST_UNITS, "hidden_size must be 1 to 32,767");
    (void)found(api, api->KernelInfoGetAttribute_int64(info, "input_forget", &coupled));
    REFUSE_UNLESS(api, !coupled, "input_forget is not supported");
    REFUSE_UNLESS(api, !found(api, api->KernelInfoGetAttribute_float(info, "clip", &clip)), "clip is not supported");
    (void)found(api, api->KernelInfoGetAttribute_string(info, "direction", direction, &size));
    const int both = !strcmp(direction, "bidirectional"), reverse = !strcmp(direction, "reverse");
    REFUSE_UNLESS(api, size <= sizeof direction && (both || reverse || !strcmp(direction, "forward")),
                  "direction must be forward, reverse or bidirectional");
    k->layer->directions = both ? 2 : 1;
    k->backward[0] = reverse;
    k->backward[1] = 1;
    return NULL;
}

typedef struct { Tensor weight, scale, zero; } Quantised;

/* Which of a node's inputs are a layer's, without the first one that they are counted from. */
typedef struct { size_t weight[PRODUCTS], scale[PRODUCTS], zero[PRODUCTS], bias; } LayerInputs;

static Status *read_quantised(const Kernel *k, const KernelInfo *info, const LayerInputs *from, int which, Quantised *t) {
    TRY(read_constant(k->api, info, from->weight[which], &t->weight));
    TRY(read_constant(k->api, info, from->scale[which], &t->scale));
    return read_constant(k->api, info, from->zero[which], &t->zero);
}

/* inputs: of x or of h. */
static Status *check_quantised(const Kernel *k, const Quantised *t, int64_t directions, int64_t inputs, int64_t hidden) {
    const Api *api = k->api;
    const int64_t columns = GATES * hidden;
    const int8_t *zeros = t->zero.data, *weights = t->weight.data;
    REFUSE_UNLESS(api, weights && is_shaped(&t->weight, TYPE_INT8, SHAPE(directions, inputs, columns)),
                  "weights must be constant int8 [directions, inputs, 4 * hidden]");
    REFUSE_UNLESS(api, t->scale.data && (is_shaped(&t->scale, TYPE_FLOAT, SHAPE(directions, columns)) ||
                                         is_shaped(&t->scale, TYPE_FLOAT, SHAPE(directions))),
                  "scales must be constant float [directions] or [directions, 4 * hidden]");
    REFUSE_UNLESS(api, zeros && t->zero.type == TYPE_INT8, "zero points must be constant int8");
    for (int64_t n = 0; n < t->zero.size; n++)
        REFUSE_UNLESS(api, !zeros[n], "zero points of weights must be zero");
    for (int64_t n = 0; n < t->weight.size; n++)
        REFUSE_UNLESS(api, abs(weights[n]) <= k->set->limit,
                      "on this processor weights must have seven bits (export with reduced range)");
    return NULL;
}

static Weights weights_of(const Layer *l, int direction, const Quantised t[PRODUCTS], const Tensor *bias) {
    const size_t d = (size_t)direction, columns = (size_t)(GATES * l->hidden);
    const size_t rows[PRODUCTS] = {(size_t)l->inputs, (size_t)l->hidden};
    Weights w = {.bias = bias->data ? (const float *)bias->data + d * 2 * columns : NULL};
    for (int which = 0; which < PRODUCTS; which++) {
        w.per_column[which] = t[which].scale.rank == 2;
        w.weight[which] = (const int8_t *)t[which].weight.data + d * rows[which] * columns;
        w.scale[which] = (const float *)t[which].scale.data + (w.per_column[which] ? d * columns : d);
    }
    return w;
}

static Status *read_layer(const Kernel *k, const KernelInfo *info, const LayerInputs *from, int directions, Layer *l) {
    const Api *api = k->api;
    Quantised t[PRODUCTS];
    Tensor bias;
    for (int which = 0; which < PRODUCTS; which++) TRY(read_quantised(k, info, from, which, &t[which]));
    TRY(read_constant(api, info, from->bias, &bias));
    REFUSE_UNLESS(api, t[INPUT].weight.rank == 3 && t[RECURRENT].weight.rank == 3,
                  "weights must be constant int8 [directions, inputs, 4 * hidden]");
    const int64_t inputs = t[INPUT].weight.shape[1], hidden = t[RECURRENT].weight.shape[1];
    REFUSE_UNLESS(api, inputs > 0 && inputs < MOST_UNITS && hidden > 0 && hidden < MOST_UNITS,
                  "a layer must have 1 to 32,767 inputs and units");
    REFUSE_UNLESS(api, !bias.data || is_shaped(&bias, TYPE_FLOAT, SHAPE(directions, 8 * hidden)),
                  "the bias must be float [directions, 8 * hidden]");
    TRY(check_quantised(k, &t[INPUT], directions, inputs, hidden));
    TRY(check_quantised(k, &t[RECURRENT], directions, hidden, hidden));
    set_sizes(l, k->set, (int)inputs, (int)hidden, directions);
    for (int d = 0; d < directions; d++) {
        const Weights weights = weights_of(l, d, t, &bias);
        REQUIRE(api, pack_direction(l, k->set, d, &weights), ERROR_FAIL, "no memory for the LSTM's weights");
    }
    return NULL;
}

static Status *read_node(Kernel *k, const KernelInfo *info) {
    static const LayerInputs from = {{IN_W, IN_R}, {IN_W_SCALE, IN_R_SCALE}, {IN_W_ZERO, IN_R_ZERO}, IN_B};
    const Api *api = k->api;
    int64_t hidden = 0;
    Tensor peepholes;
    k->layers = 1;
    TRY(read_attributes(k, info, &hidden));
    TRY(read_constant(api, info, IN_P, &peepholes));
    REFUSE_UNLESS(api, !peepholes.data, "peepholes are not supported");
    TRY(read_layer(k, info, &from, k->layer->directions, k->layer));
    REFUSE_UNLESS(api, k->layer->hidden == hidden, "R must have hidden_size rows");
    return NULL;
}

static Status *read_embedded(Kernel *k, const KernelInfo *info) {
    const Api *api = k->api;
    int64_t layers = 0;
    Tensor table, scale;
    TRY(api->KernelInfoGetAttribute_int64(info, "layers", &layers));
    REFUSE_UNLESS(api, layers > 0 && layers <= MOST_LAYERS, "there must be 1 to 8 layers");
    for (; k->layers < layers; k->layers++) {
        const size_t n = IN_LAYERS + (size_t)(LAYER_INPUTS * k->layers);
        const LayerInputs from = {{n, n + 1}, {n + 3, n + 5}, {n + 4, n + 6}, n + 2};
        Layer *l = &k->layer[k->layers];
        TRY(read_layer(k, info, &from, 1, l));
        REFUSE_UNLESS(api, l == k->layer || l->inputs == l[-1].hidden, "a layer must read what the one before gives");
    }
    TRY(read_constant(api, info, IN_TABLE, &table));
    TRY(read_constant(api, info, IN_TABLE_SCALE, &scale));
    REFUSE_UNLESS(api, table.data && table.rank == 2 && is_shaped(&table, TYPE_INT8, SHAPE(table.shape[0], k->layer->inputs)),
                  "the table must be constant int8 [words, inputs]");
    REFUSE_UNLESS(api, scale.data && is_shaped(&scale, TYPE_FLOAT, SHAPE(table.shape[0], 1)),
                  "the table's scales must be constant float [words, 1]");
    return NULL;
}

static Status *create(const Api *api, const KernelInfo *info, Status *(*read)(Kernel *, const KernelInfo *), void **made) {
    const InstructionSet *set = instruction_set_in_use();
    REFUSE_UNLESS(api, set, "LSTM_EDGE_KERNEL names instructions that this processor or build lacks");
    Kernel *k = calloc(1, sizeof *k);
    REQUIRE(api, k, ERROR_FAIL, "no memory for the LSTM");
    k->api = api;
    k->set = set;
    Status *status = read(k, info);
    if (status) destroy_kernel(k);
    else *made = k;
    return status;
}

Status *ORT_CALL create_kernel(const CustomOp *op, const Api *api, const KernelInfo *info, void **made) {
    (void)op;
    return create(api, info, read_node, made);
}

Status *ORT_CALL create_embedded(const CustomOp *op, const Api *api, const KernelInfo *info, void **made) {
    (void)op;
    return create(api, info, read_embedded, made);
}

void ORT_CALL destroy_kernel(void *kernel) {
    Kernel *k = kernel;
    for (int n = 0; n < MOST_LAYERS; n++)
        for (int d = 0; d < 2; d++) free_direction(&k->layer[n].direction[d]);
    free(atomic_load(&k->spare));
    free(k);
}

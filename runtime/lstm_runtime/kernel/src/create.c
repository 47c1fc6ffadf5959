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
    k->layer.directions = both ? 2 : 1;
    k->backward[0] = reverse;
    k->backward[1] = 1;
    return NULL;
}

typedef struct { Tensor weight, scale, zero; } Quantised;

static Status *read_quantised(const Kernel *k, const KernelInfo *info, int which, Quantised *t) {
    TRY(read_constant(k->api, info, which == INPUT ? IN_W : IN_R, &t->weight));
    TRY(read_constant(k->api, info, which == INPUT ? IN_W_SCALE : IN_R_SCALE, &t->scale));
    return read_constant(k->api, info, which == INPUT ? IN_W_ZERO : IN_R_ZERO, &t->zero);
}

/* inputs: of x or of h. */
static Status *check_quantised(const Kernel *k, const Quantised *t, int64_t inputs, int64_t hidden) {
    const Api *api = k->api;
    const int64_t directions = k->layer.directions, columns = GATES * hidden;
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

static Status *read_node(Kernel *k, const KernelInfo *info) {
    const Api *api = k->api;
    int64_t hidden = 0;
    Quantised t[PRODUCTS];
    Tensor bias, peepholes;
    TRY(read_attributes(k, info, &hidden));
    TRY(read_constant(api, info, IN_B, &bias));
    TRY(read_constant(api, info, IN_P, &peepholes));
    REFUSE_UNLESS(api, !peepholes.data, "peepholes are not supported");
    REFUSE_UNLESS(api, !bias.data || is_shaped(&bias, TYPE_FLOAT, SHAPE(k->layer.directions, 8 * hidden)),
                  "the bias must be float [directions, 8 * hidden]");
    for (int which = 0; which < PRODUCTS; which++) TRY(read_quantised(k, info, which, &t[which]));
    const int64_t inputs = t[INPUT].weight.rank == 3 ? t[INPUT].weight.shape[1] : 0;
    REFUSE_UNLESS(api, inputs > 0 && inputs < MOST_UNITS, "W must be int8 [directions, 1 to 32,767, 4 * hidden]");
    TRY(check_quantised(k, &t[INPUT], inputs, hidden));
    TRY(check_quantised(k, &t[RECURRENT], hidden, hidden));
    set_sizes(&k->layer, k->set, (int)inputs, (int)hidden, k->layer.directions);
    for (int d = 0; d < k->layer.directions; d++) {
        const Weights from = weights_of(&k->layer, d, t, &bias);
        REQUIRE(api, pack_direction(&k->layer, k->set, d, &from), ERROR_FAIL, "no memory for the LSTM's weights");
    }
    return NULL;
}

Status *ORT_CALL create_kernel(const CustomOp *op, const Api *api, const KernelInfo *info, void **made) {
    (void)op;
    const InstructionSet *set = instruction_set_in_use();
    REFUSE_UNLESS(api, set, "LSTM_EDGE_KERNEL names instructions that this processor or build lacks");
    Kernel *k = calloc(1, sizeof *k);
    REQUIRE(api, k, ERROR_FAIL, "no memory for the LSTM");
    k->api = api;
    k->set = set;
    Status *status = read_node(k, info);
    if (status) destroy_kernel(k);
    else *made = k;
    return status;
}

void ORT_CALL destroy_kernel(void *kernel) {
    Kernel *k = kernel;
    for (int d = 0; d < 2; d++) free_direction(&k->layer.direction[d]);
    free(atomic_load(&k->spare));
    free(k);
}

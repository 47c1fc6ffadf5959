/* Runs a node: checks what came in, makes the outputs, finds working memory. */
#include "kernel.h"
#include <stdlib.h>

enum { MOST_ROWS = 1 << 20 };

static Status *check_lengths(const Api *api, const Tensor *lengths, int64_t steps) {
    const int32_t *length = lengths->data;
    for (int64_t n = 0; n < lengths->size; n++)
        REQUIRE(api, length[n] >= 0 && length[n] <= steps, ERROR_INVALID_ARGUMENT, "a sequence length is outside the steps");
    return NULL;
}

/* Fill in what the run reads. */
static Status *read_inputs(const Kernel *k, const KernelContext *context, Run *run) {
    const Api *api = k->api;
    const int64_t D = k->layer.directions, H = k->layer.hidden;
    Tensor x, lengths, h0, c0;
    TRY(read_input(api, context, IN_X, &x));
    TRY(read_input(api, context, IN_LENGTHS, &lengths));
    TRY(read_input(api, context, IN_H0, &h0));
    TRY(read_input(api, context, IN_C0, &c0));
    REQUIRE(api, x.rank == 3 && x.type == TYPE_FLOAT && x.shape[2] == k->layer.inputs,
            ERROR_INVALID_ARGUMENT, "X must be float [steps, batch, inputs]");
    const int64_t steps = x.shape[0], batch = x.shape[1];
    REQUIRE(api, batch < MOST_ROWS, ERROR_INVALID_ARGUMENT, "a batch must be below 1,048,576 rows");
    REQUIRE(api, !lengths.rank || is_shaped(&lengths, TYPE_INT32, SHAPE(batch)),
            ERROR_INVALID_ARGUMENT, "sequence_lens must be int32 [batch]");
    REQUIRE(api, !h0.rank || is_shaped(&h0, TYPE_FLOAT, SHAPE(D, batch, H)),
            ERROR_INVALID_ARGUMENT, "initial_h must be float [directions, batch, hidden]");
    REQUIRE(api, !c0.rank || is_shaped(&c0, TYPE_FLOAT, SHAPE(D, batch, H)),
            ERROR_INVALID_ARGUMENT, "initial_c must be float [directions, batch, hidden]");
    TRY(check_lengths(api, &lengths, steps));
    *run = (Run){.steps = steps, .batch = batch, .x = x.data, .lengths = lengths.data, .h0 = h0.data, .c0 = c0.data};
    return NULL;
}

static Status *make_outputs(const Kernel *k, KernelContext *context, Run *run) {
    const int64_t D = k->layer.directions, H = k->layer.hidden;
    const int64_t steps[] = {run->steps, D, run->batch, H}, state[] = {D, run->batch, H};
    TRY(make_output(k->api, context, OUT_Y, steps, 4, &run->y));
    TRY(make_output(k->api, context, OUT_H, state, 3, &run->h));
    return make_output(k->api, context, OUT_C, state, 3, &run->c);
}

/* Working memory, with ALIGNMENT bytes in front that hold its size. The last run's is taken where
   it is large enough; a second run at the same time finds none and makes its own. */
static size_t *take_scratch(Kernel *k, size_t bytes) {
    size_t *scratch = atomic_exchange(&k->spare, NULL);
    if (scratch && *scratch >= bytes) return scratch;
    free(scratch);
    scratch = malloc(bytes + ALIGNMENT);
    if (scratch) *scratch = bytes;
    return scratch;
}

Status *ORT_CALL compute_kernel(void *kernel, KernelContext *context) {
    Kernel *k = kernel;
    Run run;
    TRY(read_inputs(k, context, &run));
    TRY(make_outputs(k, context, &run));
    if (!run.batch) return NULL;
    size_t *scratch = take_scratch(k, k->set->scratch_bytes(&k->layer, &run));
    REQUIRE(k->api, scratch, ERROR_FAIL, "no memory for the LSTM's steps");
    for (int d = 0; d < k->layer.directions; d++)
        k->set->run(&k->layer, d, k->backward[d], &run, (char *)scratch + ALIGNMENT);
    free(atomic_exchange(&k->spare, scratch));
    return NULL;
}

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
    const int64_t D = k->layer->directions, H = k->layer->hidden;
    Tensor x, lengths, h0, c0;
    TRY(read_input(api, context, IN_X, &x));
    TRY(read_input(api, context, IN_LENGTHS, &lengths));
    TRY(read_input(api, context, IN_H0, &h0));
    TRY(read_input(api, context, IN_C0, &c0));
    REQUIRE(api, x.rank == 3 && x.type == TYPE_FLOAT && x.shape[2] == k->layer->inputs,
            ERROR_INVALID_ARGUMENT, "X must be float [steps, batch, inputs]");
    const int64_t steps = x.shape[0], batch = x.shape[1];
    REQUIRE(api, batch < MOST_ROWS, ERROR_INVALID_ARGUMENT, "a batch must be below 1,048,576 rows");
    /* What is not given has no type. A rank of 0 could be a scalar's. */
    REQUIRE(api, !lengths.type || is_shaped(&lengths, TYPE_INT32, SHAPE(batch)),
            ERROR_INVALID_ARGUMENT, "sequence_lens must be int32 [batch]");
    REQUIRE(api, !h0.type || is_shaped(&h0, TYPE_FLOAT, SHAPE(D, batch, H)),
            ERROR_INVALID_ARGUMENT, "initial_h must be float [directions, batch, hidden]");
    REQUIRE(api, !c0.type || is_shaped(&c0, TYPE_FLOAT, SHAPE(D, batch, H)),
            ERROR_INVALID_ARGUMENT, "initial_c must be float [directions, batch, hidden]");
    TRY(check_lengths(api, &lengths, steps));
    *run = (Run){.steps = steps, .batch = batch, .x = x.data, .lengths = lengths.data, .h0 = h0.data, .c0 = c0.data};
    return NULL;
}

static Status *check_ids(const Api *api, const Run *run, int64_t words) {
    for (int64_t n = 0; n < run->batch; n++)
        for (int64_t t = 0; t < run->lengths[n]; t++) {
            const int64_t id = run->ids[n * run->steps + t];
            REQUIRE(api, id >= 0 && id < words, ERROR_INVALID_ARGUMENT, "an id is outside the embedding");
        }
    return NULL;
}

static Status *read_words(const Kernel *k, const KernelContext *context, Run *run) {
    const Api *api = k->api;
    Tensor ids, lengths, table, scale;
    TRY(read_input(api, context, IN_IDS, &ids));
    TRY(read_input(api, context, IN_IDS_LENGTHS, &lengths));
    TRY(read_input(api, context, IN_TABLE, &table));
    TRY(read_input(api, context, IN_TABLE_SCALE, &scale));
    REQUIRE(api, ids.rank == 2 && ids.type == TYPE_INT64, ERROR_INVALID_ARGUMENT, "ids must be int64 [batch, sequence]");
    const int64_t batch = ids.shape[0], steps = ids.shape[1];
    REQUIRE(api, batch < MOST_ROWS, ERROR_INVALID_ARGUMENT, "a batch must be below 1,048,576 rows");
    REQUIRE(api, is_shaped(&lengths, TYPE_INT32, SHAPE(batch)), ERROR_INVALID_ARGUMENT, "lengths must be int32 [batch]");
    TRY(check_lengths(api, &lengths, steps));
    *run = (Run){.steps = steps, .batch = batch, .ids = ids.data, .lengths = lengths.data,
                 .table = table.data, .table_scale = scale.data};
    return check_ids(api, run, table.shape[0]);
}

static Status *make_outputs(const Kernel *k, KernelContext *context, Run *run) {
    const Layer *last = &k->layer[k->layers - 1];
    const int64_t D = last->directions, H = last->hidden;
    const int64_t steps[] = {run->steps, D, run->batch, H}, state[] = {D, run->batch, H};
    void *y, *h, *c;
    TRY(make_output(k->api, context, OUT_Y, steps, 4, &y));
    TRY(make_output(k->api, context, OUT_H, state, 3, &h));
    TRY(make_output(k->api, context, OUT_C, state, 3, &c));
    run->y = y;
    run->h = h;
    run->c = c;
    return NULL;
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

static Status *compute(Kernel *k, KernelContext *context, Run *run) {
    TRY(make_outputs(k, context, run));
    if (!run->batch) return NULL;
    size_t *scratch = take_scratch(k, k->set->scratch_bytes(k->layer, k->layers, run));
    REQUIRE(k->api, scratch, ERROR_FAIL, "no memory for the LSTM's steps");
    for (int d = 0; d < k->layer->directions; d++)
        k->set->run(k->layer, k->layers, d, k->backward[d], run, (char *)scratch + ALIGNMENT);
    free(atomic_exchange(&k->spare, scratch));
    return NULL;
}

Status *ORT_CALL compute_kernel(void *kernel, KernelContext *context) {
    Run run;
    TRY(read_inputs(kernel, context, &run));
    return compute(kernel, context, &run);
}

Status *ORT_CALL compute_embedded(void *kernel, KernelContext *context) {
    Run run;
    TRY(read_words(kernel, context, &run));
    return compute(kernel, context, &run);
}

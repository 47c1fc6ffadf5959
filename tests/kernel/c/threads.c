/* Eight threads on one node, and each on nodes of its own, for the thread sanitizer. */
#include "fake_ort.h"
#include <pthread.h>

enum { HIDDEN = 24, WIDTH = 20, THREADS = 8, RUNS = 60 };

static Value *filled(int type, size_t rank, int64_t i, int64_t j, int64_t k) {
    Value *v = new_value(type, rank, (int64_t[]){i, j, k});
    const size_t count = bytes_of(v) / (type == TYPE_INT8 ? 1 : 4);
    for (size_t n = 0; n < count; n++)
        if (type == TYPE_INT8) ((int8_t *)v->data)[n] = (int8_t)(n * 37 % 127) - 63;
        else ((float *)v->data)[n] = (float)(n * 31 % 127) / 4096;
    return v;
}

static void *new_kernel(void) {
    KernelInfo info = {.hidden = HIDDEN, .direction = "forward"};
    info.constant[IN_W] = filled(TYPE_INT8, 3, 1, WIDTH, 4 * HIDDEN);
    info.constant[IN_R] = filled(TYPE_INT8, 3, 1, HIDDEN, 4 * HIDDEN);
    for (int n = IN_W_SCALE; n <= IN_R_ZERO; n++)
        info.constant[n] = filled(n == IN_W_SCALE || n == IN_R_SCALE ? TYPE_FLOAT : TYPE_INT8, 1, 1, 0, 0);
    memset(info.constant[IN_W_ZERO]->data, 0, 1);
    memset(info.constant[IN_R_ZERO]->data, 0, 1);
    void *kernel = NULL;
    if (create_kernel(NULL, &fake_api, &info, &kernel)) abort();
    for (int n = 0; n < INPUTS; n++) free_value(info.constant[n]);
    return kernel;
}

static void run(void *kernel, int64_t steps, int64_t batch) {
    KernelContext context = {.wanted = {1, 1, 1}};
    context.input[IN_X] = filled(TYPE_FLOAT, 3, steps, batch, WIDTH);
    if (compute_kernel(kernel, &context)) abort();
    free_value(context.input[IN_X]);
    for (int n = 0; n < OUTPUTS; n++) free_value(context.output[n]);
}

static void *work(void *shared) {
    for (int n = 0; n < RUNS; n++) {
        run(shared, 1 + n % 17, 1 + n % 9);
        void *own = new_kernel();
        run(own, 3, 2);
        destroy_kernel(own);
    }
    return NULL;
}

int main(void) {
    pthread_t thread[THREADS];
    void *shared = new_kernel();
    for (int n = 0; n < THREADS; n++) pthread_create(&thread[n], NULL, work, shared);
    for (int n = 0; n < THREADS; n++) pthread_join(thread[n], NULL);
    destroy_kernel(shared);
    printf("%d threads, %d runs on one node and on nodes of their own\n", THREADS, RUNS);
    return 0;
}

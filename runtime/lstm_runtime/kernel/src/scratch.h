/* The working memory of one run: one piece of memory, cut up here. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "quantise.h"

/* Rows of the input product that are made at a time. Its 2 KB a row (128 units), written and read
   again, stay in the second cache beside the weights. */
enum { CHUNK_ROWS = 256 };

/* A row of the batch. */
typedef struct {
    int64_t length;
    int64_t row; /* where it stands in the batch */
} Sequence;

/* What a layer keeps from step to step. */
typedef struct {
    Floats *c, *h;  /* [row][block] */
    Reach *reach;   /* [row]: of the h of this step so far */
    Scale *scale;   /* [row] */
    uint8_t *q;     /* [row][unit], quantised h, filled up to groups */
} States;

/* What a layer reads in the steps of a chunk. The layers take turns with it: what one has read, its
   own h overwrite for the next one. An "entry" is a running row of a step, in that order. */
typedef struct {
    uint8_t *q;         /* [row of q][input], quantised, filled up to groups */
    Scale *scale;       /* [row of q] */
    Floats *gates;      /* [row of q][block][gate]: bias + x * W */
    int32_t *row;       /* [entry]: its row of q: one word's are made once in a chunk */
    int64_t *word;      /* [row of q]: the id that it is of */
    float *vector;      /* [input]: a word's */
} Chunk;

static int64_t chunk_steps(const Run *run) {
    return run->batch < CHUNK_ROWS ? CHUNK_ROWS / run->batch : 1;
}

static void *take(char *base, size_t *at, size_t bytes) {
    void *found = base ? base + *at : NULL;
    *at = (*at + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return found;
}

typedef struct {
    Chunk chunk;
    States states[MOST_LAYERS];
    Sequence *sequence; /* [row], the longest first */
} Scratch;

static size_t larger_of(size_t a, size_t b) { return a < b ? b : a; }

/* Cut up the memory at `base`, NULL to count only; returns how much it is. */
static size_t cut_up(const Layer *layer, int layers, const Run *run, Scratch *s, char *base) {
    const size_t batch = (size_t)run->batch, chunk = (size_t)chunk_steps(run) * batch;
    size_t at = 0, stride = 0, blocks = 0;
    for (int n = 0; n < layers; n++) {
        States *states = &s->states[n];
        const size_t own = (size_t)layer[n].blocks;
        states->c = take(base, &at, batch * own * sizeof *states->c);
        states->h = take(base, &at, batch * own * sizeof *states->h);
        states->reach = take(base, &at, batch * sizeof *states->reach);
        states->scale = take(base, &at, batch * sizeof *states->scale);
        states->q = take(base, &at, batch * (size_t)layer[n].groups[RECURRENT] * GROUP);
        stride = larger_of(stride, (size_t)layer[n].groups[INPUT] * GROUP);
        blocks = larger_of(blocks, own);
    }
    s->chunk.q = take(base, &at, chunk * stride);
    s->chunk.scale = take(base, &at, chunk * sizeof *s->chunk.scale);
    s->chunk.gates = take(base, &at, chunk * blocks * GATES * sizeof *s->chunk.gates);
    s->chunk.row = take(base, &at, chunk * sizeof *s->chunk.row);
    s->chunk.word = take(base, &at, chunk * sizeof *s->chunk.word);
    s->chunk.vector = take(base, &at, (size_t)layer->inputs * sizeof *s->chunk.vector);
    s->sequence = take(base, &at, batch * sizeof *s->sequence);
    return at;
}

static size_t scratch_bytes(const Layer *layer, int layers, const Run *run) {
    Scratch s;
    return cut_up(layer, layers, run, &s, NULL) + ALIGNMENT;
}

#endif

/* golden SET: the states of a fixed layer at the end of a fixed text, as raw little-endian floats.
   Every instruction set has to write the same bytes; test_kernel_golden.py and
   tests/device/aarch64.sh hold their SHA-256. Weights and inputs are whole numbers times powers
   of two, so that no compiler can round them differently. */
#include "lstm.h"
#include "pack.h"
#include <stdio.h>
#include <stdlib.h>

static const char TEXT[] = "One of the finest films I have ever seen, and I have seen many: great fun!";

enum { INPUTS = 37, HIDDEN = 53, STEPS = sizeof TEXT - 1, ROWS_OF_TEXT = 3 };

static uint32_t next(uint32_t *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

static int8_t *weights(int count, uint32_t seed) {
    int8_t *w = malloc((size_t)count);
    for (int n = 0; n < count; n++) w[n] = (int8_t)((int)(next(&seed) % 127) - 63);
    return w;
}

static float *floats(int count, float unit, uint32_t seed) {
    float *x = malloc((size_t)count * sizeof *x);
    for (int n = 0; n < count; n++) x[n] = (float)((int)(next(&seed) % 255) - 127) * unit;
    return x;
}

int main(int argc, char **argv) {
    const InstructionSet *set = choose_instruction_set(argc > 1 ? argv[1] : "");
    if (!set) return 3; /* this processor lacks it */
    Layer l = {0};
    set_sizes(&l, set, INPUTS, HIDDEN, 2);
    float *scale = floats(4 * HIDDEN, 1.0f / 16384, 1);
    for (int d = 0; d < 2; d++) {
        const Weights from = {
            .weight = {weights(INPUTS * 4 * HIDDEN, 2 + (uint32_t)d), weights(HIDDEN * 4 * HIDDEN, 4 + (uint32_t)d)},
            .scale = {scale, scale},
            .per_column = {1, 1},
            .bias = floats(8 * HIDDEN, 1.0f / 512, 6 + (uint32_t)d),
        };
        if (!pack_direction(&l, set, d, &from)) return 4;
    }
    /* Row n is the text without its last n words' worth of bytes; a byte seeds a step's inputs. */
    float *x = malloc(sizeof(float) * STEPS * ROWS_OF_TEXT * INPUTS);
    int32_t lengths[ROWS_OF_TEXT];
    for (int row = 0; row < ROWS_OF_TEXT; row++) {
        lengths[row] = STEPS - 11 * row;
        for (int t = 0; t < STEPS; t++) {
            float *step = floats(INPUTS, 1.0f / 64, (uint32_t)TEXT[t]);
            for (int n = 0; n < INPUTS; n++) x[(t * ROWS_OF_TEXT + row) * INPUTS + n] = step[n];
            free(step);
        }
    }
    enum { STATE = 2 * ROWS_OF_TEXT * HIDDEN };
    float y[STEPS * STATE], h[STATE], c[STATE];
    const Run run = {.steps = STEPS, .batch = ROWS_OF_TEXT, .x = x, .lengths = lengths, .y = y, .h = h, .c = c};
    void *scratch = malloc(set->scratch_bytes(&l, 1, &run));
    for (int d = 0; d < 2; d++) set->run(&l, 1, d, d, &run, scratch);
    fwrite(y, sizeof y, 1, stdout);
    fwrite(h, sizeof h, 1, stdout);
    fwrite(c, sizeof c, 1, stdout);
    return 0;
}

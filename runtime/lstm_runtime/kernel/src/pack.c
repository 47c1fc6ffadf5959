#include "pack.h"
#include <stdlib.h>
#include <string.h>

/* Zeroed memory at a multiple of ALIGNMENT. In front of it stands what malloc gave. */
static void *aligned_zeros(size_t bytes) {
    char *raw = malloc(bytes + ALIGNMENT + sizeof raw);
    if (!raw) return NULL;
    const uintptr_t behind = (uintptr_t)(raw + sizeof raw + ALIGNMENT - 1);
    char *at = (char *)(behind & ~(uintptr_t)(ALIGNMENT - 1));
    memcpy(at - sizeof raw, &raw, sizeof raw);
    return memset(at, 0, bytes);
}

static void free_aligned(void *at) {
    void *raw;
    if (!at) return;
    memcpy(&raw, (char *)at - sizeof raw, sizeof raw);
    free(raw);
}

void free_direction(Direction *d) {
    for (int which = 0; which < PRODUCTS; which++) {
        free_aligned(d->weight[which]);
        free_aligned(d->scale[which]);
        free_aligned(d->column[which]);
    }
    free_aligned(d->bias);
}

void set_sizes(Layer *l, const InstructionSet *set, int inputs, int hidden, int directions) {
    l->inputs = inputs;
    l->hidden = hidden;
    l->directions = directions;
    l->blocks = (hidden + set->lanes - 1) / set->lanes;
    l->groups[INPUT] = (inputs + GROUP - 1) / GROUP;
    l->groups[RECURRENT] = (hidden + GROUP - 1) / GROUP;
}

/* What a gate is multiplied with, so that two to its power is what activation.h needs. */
static double curve_factor(int gate) {
    const double log2_e = 1.4426950408889634;
    return gate == GATE_G ? -2 * log2_e : -log2_e;
}

/* Where the sums of a gate of a unit stand: [block][gate][lane]. */
static size_t sum_place(const InstructionSet *set, int gate, int unit) {
    const size_t block = (size_t)(unit / set->lanes), lane = (size_t)(unit % set->lanes);
    return (block * GATES + (size_t)gate) * (size_t)set->lanes + lane;
}

static void pack_column(const Layer *l, const InstructionSet *set, Direction *to, int which,
                        const Weights *from, int gate, int unit) {
    const int rows = which == INPUT ? l->inputs : l->hidden;
    const size_t lanes = (size_t)set->lanes, column = (size_t)(gate * l->hidden + unit);
    const size_t block = (size_t)unit / lanes, lane = (size_t)unit % lanes;
    const size_t sum = sum_place(set, gate, unit);
    const float scale = from->scale[which][from->per_column[which] ? column : 0];
    int32_t total = 0;
    for (int row = 0; row < rows; row++) {
        const int8_t value = from->weight[which][(size_t)row * GATES * (size_t)l->hidden + column];
        const size_t group = block * (size_t)l->groups[which] + (size_t)(row / GROUP);
        to->weight[which][((group * GATES + (size_t)gate) * lanes + lane) * GROUP + (size_t)(row % GROUP)] = value;
        total += value;
    }
    to->column[which][sum] = total;
    to->scale[which][sum] = (float)(curve_factor(gate) * (double)scale);
}

int pack_direction(Layer *l, const InstructionSet *set, int direction, const Weights *from) {
    Direction *to = &l->direction[direction];
    const size_t sums = (size_t)l->blocks * GATES * (size_t)set->lanes;
    to->bias = aligned_zeros(sums * sizeof *to->bias);
    if (!to->bias) return 0;
    for (int which = 0; which < PRODUCTS; which++) {
        to->weight[which] = aligned_zeros(sums * (size_t)l->groups[which] * GROUP);
        to->scale[which] = aligned_zeros(sums * sizeof *to->scale[which]);
        to->column[which] = aligned_zeros(sums * sizeof *to->column[which]);
        if (!to->weight[which] || !to->scale[which] || !to->column[which]) return 0;
        for (int gate = 0; gate < GATES; gate++)
            for (int unit = 0; unit < l->hidden; unit++)
                pack_column(l, set, to, which, from, gate, unit);
    }
    for (int gate = 0; from->bias && gate < GATES; gate++)
        for (int unit = 0; unit < l->hidden; unit++) {
            const float *b = from->bias + gate * l->hidden + unit;
            const double both = (double)b[0] + (double)b[GATES * l->hidden];
            to->bias[sum_place(set, gate, unit)] = (float)(curve_factor(gate) * both);
        }
    return 1;
}

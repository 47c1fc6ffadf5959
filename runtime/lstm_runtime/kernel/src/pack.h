/* The weights of a file, laid out as the arithmetic reads them. */
#ifndef PACK_H
#define PACK_H

#include "lstm.h"

/* One direction's weights as ONNX has them: gates side by side, [inputs][gate * hidden + unit]. */
typedef struct {
    const int8_t *weight[PRODUCTS]; /* [inputs, 4 * hidden] and [hidden, 4 * hidden] */
    const float *scale[PRODUCTS];   /* [4 * hidden], or [1] where it serves all columns */
    int per_column[PRODUCTS];       /* which of the two */
    const float *bias;              /* [8 * hidden], of x * W and of h * R; or NULL */
} Weights;

/* Set the sizes of a layer that follow from these and from the instruction set. */
void set_sizes(Layer *l, const InstructionSet *set, int inputs, int hidden, int directions);

/* Pack one direction; 0 where there is no memory for it. Free with free_direction, also then. */
int pack_direction(Layer *l, const InstructionSet *set, int direction, const Weights *from);

void free_direction(Direction *d);

#endif

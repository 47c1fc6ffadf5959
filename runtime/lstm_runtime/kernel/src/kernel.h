/* A node of LSTM layers: made once when a session is created (create.c), run many times and from
   many threads at once (compute.c). */
#ifndef KERNEL_H
#define KERNEL_H

#include "lstm.h"
#include "tensor.h"
#include <stdatomic.h>

/* The operator's inputs and outputs, in the order of com.microsoft::DynamicQuantizeLSTM. */
enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H0, IN_C0, IN_P,
       IN_W_SCALE, IN_W_ZERO, IN_R_SCALE, IN_R_ZERO, INPUTS };
enum { OUT_Y, OUT_H, OUT_C, OUTPUTS };

/* ... and those of lstm_edge::EmbeddedLSTM, layers in a row that read words: after these come
   LAYER_INPUTS for each layer, in the order of `layer_input`. The outputs are the same. */
enum { IN_IDS, IN_IDS_LENGTHS, IN_TABLE, IN_TABLE_SCALE, IN_LAYERS };
enum { LAYER_INPUTS = 7 };

typedef struct {
    const Api *api;
    const InstructionSet *set;
    Layer layer[MOST_LAYERS];
    int layers;
    int backward[2];       /* whether a direction reads from the end */
    _Atomic(void *) spare; /* the scratch of a finished run, its size in front; or NULL */
} Kernel;

Status *ORT_CALL create_kernel(const CustomOp *op, const Api *api, const KernelInfo *info, void **made);
Status *ORT_CALL compute_kernel(void *kernel, KernelContext *context);
Status *ORT_CALL create_embedded(const CustomOp *op, const Api *api, const KernelInfo *info, void **made);
Status *ORT_CALL compute_embedded(void *kernel, KernelContext *context);
void ORT_CALL destroy_kernel(void *kernel);

/* The instruction set that LSTM_EDGE_KERNEL names, else the best; NULL where it cannot run. */
const InstructionSet *instruction_set_in_use(void);

#endif

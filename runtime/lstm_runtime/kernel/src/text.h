/* lstm_edge::WordIds: texts to ids, in place of sixteen nodes that do the same. */
#ifndef TEXT_H
#define TEXT_H

#include "ort_api.h"

/* The vocabulary's two are constants: see words.h. */
enum { IN_TEXT, IN_KEYS, IN_VALUES, TEXT_INPUTS };
/* ids [batch, longest]: filled up with the id of the empty token, as many as the lengths say count. The
   matches are the same ids, but -1 behind the end, and no columns where no text has a token. */
enum { OUT_IDS, OUT_LENGTHS, OUT_MATCHES, TEXT_OUTPUTS };

Status *ORT_CALL create_text(const CustomOp *op, const Api *api, const KernelInfo *info, void **made);
Status *ORT_CALL compute_text(void *kernel, KernelContext *context);
void ORT_CALL destroy_text(void *kernel);

#endif

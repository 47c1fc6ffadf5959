/* The curves of an LSTM, a division each. With e(x) = 2^(-x * log2 e), which is e^-x:
   sigmoid(x) = 1 / (1 + e(x)) and tanh(x) = (1 - e(2x)) / (1 + e(2x)). The factors -log2 e and
   -2 log2 e are already in the weights' scales and the biases (pack.c). */
#ifndef ACTIVATION_H
#define ACTIVATION_H

#include "simd.h"

/* 2^x: to 3e-6 of itself, exact at 0, for x up to 40 (2^40, and everything beyond, takes a sigmoid
   to 0 as far as a float can tell). The polynomial is near 2^x between -1/2 and 1/2; it makes
   sigmoid right to 7.5e-7 and tanh to 1.4e-6, far below one step of an int8 value. */
INLINE Floats power_of_two(Floats x) {
    Floats n, rest = exponent(x, &n);
    Floats p = splat(0.009582853f);
    p = fused(p, rest, splat(0.055906426f));
    p = fused(p, rest, splat(0.24024099f));
    p = fused(p, rest, splat(0.69312418f));
    p = fused(p, rest, splat(1.0f));
    return scaled(p, n);
}

/* One step of LANES units: from the scaled gates and *c to the new *c and, returned, the new h.

   c' = sigmoid(f) * c + sigmoid(i) * tanh(g) over one denominator, h' = sigmoid(o) * tanh(c'). */
INLINE Floats lstm_cell(const Floats gate[GATES], Floats *c) {
    Floats e[GATES];
    UNROLL for (int g = 0; g < GATES; g++) e[g] = power_of_two(gate[g]);
    const Floats forget = 1.0f + e[GATE_F];
    const Floats learn = (1.0f + e[GATE_I]) * (1.0f + e[GATE_G]);
    *c = fused(*c, learn, (1.0f - e[GATE_G]) * forget) / (forget * learn);
    const Floats e_c = power_of_two(*c * -2.8853900817779268f); /* -2 log2 e */
    return (1.0f - e_c) / ((1.0f + e[GATE_O]) * (1.0f + e_c));
}

#endif

/* Vectors, one layer below the arithmetic: the few operations that instruction sets spell
   differently. The build names the set with SET_*; everything above this file is the same for all.

   SIMD (single instruction, multiple data) in a page: a vector register holds LANES floats or
   whole numbers side by side, and an instruction works on all of them at once. GCC's and Clang's
   vector types make `a * b` on such registers look like plain C. What C has no operator for is
   an "intrinsic", a function that becomes one instruction. */
#ifndef SIMD_H
#define SIMD_H

#include "lstm.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Write out a short loop of constant length, so that arrays that it indexes become registers.
   Old Clangs knew only their own word for it, and were half as fast without. */
#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Each set says: its NAME; LANES, the floats in a vector; SIGNED, what has to be taken
   from bytes of 0 to 255 because the product wants them signed; LIMIT, see InstructionSet; and
   ROWS, how many rows of a batch are multiplied at once. A row needs four sums (one a gate), and
   they have to fit into the registers beside four vectors of weights: AVX-512 has 32 registers and
   takes 6 * 4 + 4, AVX has 16 and takes 2 * 4 + 4. */
#if defined SET_AVX512VNNI
enum { LANES = 16, SIGNED = 0, LIMIT = 128, ROWS = 6 };
#define NAME avx512vnni
#elif defined SET_AVXVNNI
enum { LANES = 8, SIGNED = 0, LIMIT = 128, ROWS = 2 };
#define NAME avxvnni
#elif defined SET_AVX2
enum { LANES = 8, SIGNED = 0, LIMIT = 64, ROWS = 2 };
#define NAME avx2
#elif defined SET_NEONDOT
enum { LANES = 4, SIGNED = 128, LIMIT = 128, ROWS = 4 };
#define NAME neondot
#elif defined SET_NEON
enum { LANES = 4, SIGNED = 128, LIMIT = 128, ROWS = 4 };
#define NAME neon
#else
enum { LANES = 4, SIGNED = 128, LIMIT = 128, ROWS = 1 };
#define NAME portable
#endif

typedef float Floats __attribute__((vector_size(LANES * 4)));
typedef int32_t Ints __attribute__((vector_size(LANES * 4)));
typedef int8_t Quads __attribute__((vector_size(LANES * 4))); /* four bytes a lane: weights */
typedef int8_t Bytes __attribute__((vector_size(LANES)));     /* one byte a lane: activations */

INLINE Floats splat(float x) { return x - (Floats){0}; }

INLINE Floats load(const float *from) {
    Floats v;
    memcpy(&v, from, sizeof v);
    return v;
}

/* Each of the files below defines

   dot4(sums, a, w)     sums[lane] += the four products of the bytes a[0..3] with w's bytes of lane
   larger(a, b)         the larger of two whole numbers
   largest_lane(a)      the largest lane, as the float of the same bits
   low_bytes(a)         the lowest byte of each lane
   fused(a, b, c)       a * b + c, rounded once
   exponent(x, &n)      x = n + what it returns: n whole, the rest at most a half to either side;
                        x is held between -40 and 40 where the set cannot scale by any power
   scaled(p, n)         p * 2^n

   and NaN goes through all of those on floats. */
#if defined SET_AVX512VNNI
#include "simd_avx512.h"
#elif defined SET_AVXVNNI || defined SET_AVX2
#include "simd_avx.h"
#elif defined SET_NEONDOT || defined SET_NEON
#include "simd_neon.h"
#else
#include "simd_portable.h"
#endif

#endif

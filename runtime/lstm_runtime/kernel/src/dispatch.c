/* Which instruction sets this build has (the build names them with HAS_*) and this processor. */
#include "lstm.h"
#include <string.h>

extern const InstructionSet set_portable;

#if defined __x86_64__
#include <cpuid.h>

extern const InstructionSet set_avx2, set_avxvnni, set_avx512vnni;

typedef struct { unsigned a, b, c, d; } Leaf;

static Leaf leaf(unsigned number, unsigned sub) {
    Leaf l = {0, 0, 0, 0};
    __get_cpuid_count(number, sub, &l.a, &l.b, &l.c, &l.d);
    return l;
}

static int bit(unsigned word, int n) { return word >> n & 1; }

/* Which vector registers the operating system keeps for a process: bits of XCR0. */
static unsigned kept_registers(void) {
    unsigned low, high;
    if (!bit(leaf(1, 0).c, 27)) return 0; /* OSXSAVE: else xgetbv is no instruction */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

enum { KEEPS_256 = 0x06, KEEPS_512 = 0xe6 };

static int has_avx2(void) {
    return (kept_registers() & KEEPS_256) == KEEPS_256 && bit(leaf(7, 0).b, 5) && bit(leaf(1, 0).c, 12); /* FMA */
}

static int has_avxvnni(void) { return has_avx2() && bit(leaf(7, 1).a, 4); }

static int has_avx512vnni(void) {
    const Leaf l = leaf(7, 0);
    return has_avx2() && (kept_registers() & KEEPS_512) == KEEPS_512 && bit(l.b, 16) && bit(l.b, 17) &&
           bit(l.b, 30) && bit(l.b, 31) && bit(l.c, 11); /* F, DQ, BW, VL, VNNI */
}

#elif defined __aarch64__

extern const InstructionSet set_neon, set_neondot;

#if defined __linux__
#include <sys/auxv.h>
static int has_neondot(void) { return getauxval(AT_HWCAP) >> 20 & 1; } /* HWCAP_ASIMDDP */
#else
static int has_neondot(void) { return 1; } /* every 64-bit Mac, and Windows since Snapdragon 845 */
#endif

#endif

static int always(void) { return 1; }

static const struct {
    const InstructionSet *set;
    int (*runs)(void);
} best_first[] = {
#if defined HAS_AVX512VNNI
    {&set_avx512vnni, has_avx512vnni},
#endif
#if defined HAS_AVXVNNI
    {&set_avxvnni, has_avxvnni},
#endif
#if defined HAS_AVX2
    {&set_avx2, has_avx2},
#endif
#if defined HAS_NEONDOT
    {&set_neondot, has_neondot},
#endif
#if defined HAS_NEON
    {&set_neon, always},
#endif
    {&set_portable, always},
};

const InstructionSet *choose_instruction_set(const char *wanted) {
    const int any = !wanted || !*wanted;
    for (size_t n = 0; n < sizeof best_first / sizeof *best_first; n++)
        if ((any || !strcmp(wanted, best_first[n].set->name)) && best_first[n].runs()) return best_first[n].set;
    return NULL;
}

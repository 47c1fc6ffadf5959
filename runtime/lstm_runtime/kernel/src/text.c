/* Texts to ids: lower A to Z, take every match of [a-z0-9']+|[!?], look it up.

   Only for that pattern, the one that files have unless their maker says otherwise: a byte then says
   by itself whether it belongs to a word, and those of letters beyond ASCII never do. */
#include "text.h"
#include "tensor.h"
#include "words.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Api *api;
    Words *words;
    int64_t unknown, empty;
    uint8_t lowered[256]; /* a byte of a word, lowered; 0 for all others */
} Text;

/* Texts side by side: text n is from letter[start[n]] to below letter[start[n + 1]]. */
typedef struct { uint8_t *letter; size_t *start; } Letters;

static int is_mark(uint8_t byte) { return byte == '!' || byte == '?'; }

static void fill_lowered(Text *k) {
    for (int c = 'a'; c <= 'z'; c++) k->lowered[c] = k->lowered[c - 'a' + 'A'] = (uint8_t)c;
    for (int c = '0'; c <= '9'; c++) k->lowered[c] = (uint8_t)c;
    k->lowered['\''] = '\'';
}

/* Lower a text where it stands; returns how many tokens it has. */
static int64_t lower_and_count(const Text *k, uint8_t *at, const uint8_t *end) {
    int64_t count = 0;
    for (int within = 0; at < end; at++) {
        const uint8_t letter = k->lowered[*at];
        count += (letter && !within) || is_mark(*at);
        within = letter != 0;
        *at = letter ? letter : *at;
    }
    return count;
}

/* Write the ids of a lowered text; returns how many. */
static int64_t look_up(const Text *k, const uint8_t *at, const uint8_t *end, int64_t *ids) {
    int64_t *const first = ids;
    while (at < end) {
        const uint8_t *const word = at;
        uint32_t hash = HASH_START;
        while (at < end && k->lowered[*at]) hash = hash_letter(hash, *at++);
        if (at == word) {
            if (!is_mark(*at++)) continue;
            hash = hash_letter(hash, *word);
        }
        *ids++ = find_id(k->words, word, (size_t)(at - word), hash, k->unknown);
    }
    return ids - first;
}

static Status *read_text(Text *k, const KernelInfo *info) {
    const Api *api = k->api;
    Tensor keys, values;
    TRY(api->KernelInfoGetAttribute_int64(info, "unknown", &k->unknown));
    TRY(api->KernelInfoGetAttribute_int64(info, "empty", &k->empty));
    TRY(read_constant(api, info, IN_KEYS, &keys));
    TRY(read_constant(api, info, IN_VALUES, &values));
    REQUIRE(api, keys.data && keys.type == TYPE_UINT8 && values.data && values.type == TYPE_UINT8,
            ERROR_NOT_IMPLEMENTED, "lstm-edge kernel: the vocabulary must be constant bytes");
    k->words = read_vocabulary(keys.data, (size_t)keys.size, values.data, (size_t)values.size);
    REQUIRE(api, k->words, ERROR_NOT_IMPLEMENTED, "lstm-edge kernel: no vocabulary, or no memory for it");
    return NULL;
}

Status *ORT_CALL create_text(const CustomOp *op, const Api *api, const KernelInfo *info, void **made) {
    (void)op;
    Text *k = calloc(1, sizeof *k);
    REQUIRE(api, k, ERROR_FAIL, "no memory for the vocabulary");
    k->api = api;
    fill_lowered(k);
    Status *status = read_text(k, info);
    if (status) destroy_text(k);
    else *made = k;
    return status;
}

void ORT_CALL destroy_text(void *kernel) {
    Text *k = kernel;
    free_words(k->words);
    free(k);
}

/* An output [batch, columns] full of `filling`; *data is NULL where nobody wants it. */
static Status *make_table(const Text *k, KernelContext *context, size_t output, size_t batch, int64_t columns,
                          int64_t filling, int64_t **data) {
    void *made;
    TRY(make_output(k->api, context, output, (int64_t[]){(int64_t)batch, columns}, 2, &made));
    *data = made;
    for (size_t n = 0; *data && n < batch * (size_t)columns; n++) (*data)[n] = filling;
    return NULL;
}

static Status *make_ids(const Text *k, KernelContext *context, size_t batch, const Letters *l, int32_t *lengths) {
    enum { PADDING = -1 };
    int64_t longest = 0, *ids, *matches;
    for (size_t n = 0; n < batch; n++) {
        const int64_t count = lower_and_count(k, l->letter + l->start[n], l->letter + l->start[n + 1]);
        REQUIRE(k->api, count < INT32_MAX, ERROR_INVALID_ARGUMENT, "a text is too long");
        lengths[n] = count > 0 ? (int32_t)count : 1;
        if (count > longest) longest = count;
    }
    const int64_t steps = longest > 0 ? longest : 1;
    TRY(make_table(k, context, OUT_IDS, batch, steps, k->empty, &ids));
    TRY(make_table(k, context, OUT_MATCHES, batch, longest, PADDING, &matches));
    for (size_t n = 0; n < batch; n++) {
        const uint8_t *from = l->letter + l->start[n], *to = l->letter + l->start[n + 1];
        int64_t *row = ids + (int64_t)n * steps;
        const int64_t count = look_up(k, from, to, row);
        if (matches) memcpy(matches + (int64_t)n * longest, row, (size_t)count * sizeof *row);
    }
    return NULL;
}

static Status *read_letters(const Api *api, const Value *text, size_t batch, size_t bytes, Letters *l) {
    l->letter = malloc(bytes + 1);
    l->start = malloc((batch + 1) * sizeof *l->start);
    REQUIRE(api, l->letter && l->start, ERROR_FAIL, "no memory for the texts");
    l->start[batch] = bytes;
    return batch ? api->GetStringTensorContent(text, l->letter, bytes, l->start, batch) : NULL;
}

Status *ORT_CALL compute_text(void *kernel, KernelContext *context) {
    const Text *k = kernel;
    const Value *value;
    Tensor text;
    size_t bytes = 0;
    void *lengths;
    TRY(find_input(k->api, context, IN_TEXT, &value));
    TRY(read_shape_of(k->api, value, &text));
    REQUIRE(k->api, text.type == TYPE_STRING && text.rank == 1, ERROR_INVALID_ARGUMENT, "text must be string [batch]");
    const size_t batch = (size_t)text.size;
    TRY(k->api->GetStringTensorDataLength(value, &bytes));
    TRY(make_output(k->api, context, OUT_LENGTHS, text.shape, 1, &lengths));
    REQUIRE(k->api, lengths, ERROR_INVALID_ARGUMENT, "ids and lengths are always made");
    Letters letters = {0};
    Status *status = read_letters(k->api, value, batch, bytes, &letters);
    if (!status) status = make_ids(k, context, batch, &letters, lengths);
    free(letters.letter);
    free(letters.start);
    return status;
}

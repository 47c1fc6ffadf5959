#include "words.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t start, length; /* among the letters */
    uint32_t hash;
    int32_t id;
} Entry;

/* The words in their order, and a table of twice as many places; one that is taken sends a word to
   the next. A process touches all of this memory before its first answer, so places hold numbers:
   with the entries themselves, it would be three times as much. */
struct Words {
    size_t places;    /* a power of two */
    uint32_t *place;  /* which entry, counted from 1; 0: none */
    Entry *entry;
    uint8_t *letters; /* of all words, as the attribute has them */
};

/* A field of a protobuf message: bytes, or a whole number. */
typedef struct { uint64_t number, value; const uint8_t *bytes; } Field;

static int read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        const uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 1;
    }
    return 0;
}

static int read_field(const uint8_t **at, const uint8_t *end, Field *field) {
    enum { NUMBER = 0, BYTES = 2 };
    uint64_t key;
    if (!read_varint(at, end, &key) || !read_varint(at, end, &field->value)) return 0;
    field->number = key >> 3;
    field->bytes = NULL;
    if ((key & 7) == NUMBER) return 1;
    if ((key & 7) != BYTES || field->value > (uint64_t)(end - *at)) return 0;
    field->bytes = *at;
    *at += field->value;
    return 1;
}

enum { INTS = 8, STRINGS = 9 }; /* fields of AttributeProto */

/* The number that stands at `*at` or, in a file that packs them, within a field that began before. */
static int next_id(const uint8_t **at, const uint8_t *end, const uint8_t **packed, const uint8_t **packed_end, int64_t *id) {
    Field field;
    uint64_t value;
    while (*packed == *packed_end) {
        if (*at >= end || !read_field(at, end, &field)) return 0;
        if (field.number == INTS && !field.bytes) {
            *id = (int64_t)field.value;
            return 1;
        }
        if (field.number == INTS) {
            *packed = field.bytes;
            *packed_end = field.bytes + field.value;
        }
    }
    if (!read_varint(packed, *packed_end, &value)) return 0;
    *id = (int64_t)value;
    return 1;
}

static int is_word(const Words *w, const Entry *entry, const uint8_t *word, size_t length, uint32_t hash) {
    return entry->hash == hash && entry->length == length && !memcmp(w->letters + entry->start, word, length);
}

/* The place of a word, or the empty one where it belongs. */
static uint32_t *find_place(const Words *w, const uint8_t *word, size_t length, uint32_t hash) {
    const size_t last = w->places - 1;
    size_t n = hash & last;
    while (w->place[n] && !is_word(w, &w->entry[w->place[n] - 1], word, length, hash)) n = (n + 1) & last;
    return &w->place[n];
}

/* Put a word behind the `count` that there are; returns how many there are then: the first of two counts. */
static uint32_t put(Words *w, uint32_t count, const uint8_t *word, size_t length, int64_t id) {
    uint32_t hash = HASH_START;
    for (size_t n = 0; n < length; n++) hash = hash_letter(hash, word[n]);
    uint32_t *place = find_place(w, word, length, hash);
    if (*place) return count;
    w->entry[count] = (Entry){(uint32_t)(word - w->letters), (uint32_t)length, hash, (int32_t)id};
    return *place = count + 1;
}

static int read_entries(Words *w, size_t keys_size, const uint8_t *values, size_t values_size) {
    const uint8_t *at = w->letters, *end = at + keys_size, *values_end = values + values_size;
    const uint8_t *packed = NULL, *packed_end = NULL;
    uint32_t count = 0;
    Field field;
    int64_t id;
    while (at < end) {
        if (!read_field(&at, end, &field)) return 0;
        if (field.number != STRINGS || !field.bytes) continue;
        if (!next_id(&values, values_end, &packed, &packed_end, &id)) return 0;
        if (!field.value) continue;
        if (id < 0 || id > INT32_MAX) return 0;
        count = put(w, count, field.bytes, (size_t)field.value, id);
    }
    return !next_id(&values, values_end, &packed, &packed_end, &id);
}

static size_t count_words(const uint8_t *at, size_t size) {
    const uint8_t *end = at + size;
    size_t count = 0;
    Field field;
    while (at < end && read_field(&at, end, &field)) count += field.number == STRINGS;
    return count;
}

Words *read_vocabulary(const uint8_t *keys, size_t keys_size, const uint8_t *values, size_t values_size) {
    if (keys_size > INT32_MAX) return NULL; /* what an ONNX file can hold */
    Words *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    const size_t count = count_words(keys, keys_size);
    for (w->places = 2; w->places < 2 * count;) w->places *= 2;
    w->place = calloc(w->places, sizeof *w->place);
    w->entry = malloc((count + 1) * sizeof *w->entry);
    w->letters = malloc(keys_size + 1);
    if (w->letters) memcpy(w->letters, keys, keys_size);
    if (w->place && w->entry && w->letters && read_entries(w, keys_size, values, values_size)) return w;
    free_words(w);
    return NULL;
}

void free_words(Words *w) {
    if (!w) return;
    free(w->place);
    free(w->entry);
    free(w->letters);
    free(w);
}

int64_t find_id(const Words *w, const uint8_t *word, size_t length, uint32_t hash, int64_t unknown) {
    const uint32_t found = *find_place(w, word, length, hash);
    return found ? w->entry[found - 1].id : unknown;
}

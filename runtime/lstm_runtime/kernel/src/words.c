#include "words.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *word; /* NULL: an empty place */
    size_t length;
    uint32_t hash;
    int64_t id;
} Entry;

/* A table of twice as many places as words; one that is taken sends a word to the next. */
struct Words {
    size_t places;  /* a power of two */
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

static void put(Words *w, const Entry *entry) {
    size_t place = entry->hash & (w->places - 1);
    for (; w->entry[place].word; place = (place + 1) & (w->places - 1))
        if (w->entry[place].length == entry->length && !memcmp(w->entry[place].word, entry->word, entry->length))
            return; /* the first of two counts */
    w->entry[place] = *entry;
}

static int read_entries(Words *w, size_t keys_size, const uint8_t *values, size_t values_size) {
    const uint8_t *at = w->letters, *end = at + keys_size, *values_end = values + values_size;
    const uint8_t *packed = NULL, *packed_end = NULL;
    Field field;
    int64_t id;
    while (at < end) {
        if (!read_field(&at, end, &field)) return 0;
        if (field.number != STRINGS || !field.bytes) continue;
        if (!next_id(&values, values_end, &packed, &packed_end, &id)) return 0;
        if (!field.value) continue;
        if (id < 0) return 0;
        Entry entry = {field.bytes, (size_t)field.value, HASH_START, id};
        for (size_t n = 0; n < entry.length; n++) entry.hash = hash_letter(entry.hash, entry.word[n]);
        put(w, &entry);
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
    Words *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    const size_t count = count_words(keys, keys_size);
    for (w->places = 2; w->places < 2 * count;) w->places *= 2;
    w->entry = calloc(w->places, sizeof *w->entry);
    w->letters = malloc(keys_size + 1);
    if (w->letters) memcpy(w->letters, keys, keys_size);
    if (w->entry && w->letters && read_entries(w, keys_size, values, values_size)) return w;
    free_words(w);
    return NULL;
}

void free_words(Words *w) {
    if (!w) return;
    free(w->entry);
    free(w->letters);
    free(w);
}

int64_t find_id(const Words *w, const uint8_t *word, size_t length, uint32_t hash, int64_t unknown) {
    for (size_t place = hash & (w->places - 1); w->entry[place].word; place = (place + 1) & (w->places - 1)) {
        const Entry *e = &w->entry[place];
        if (e->hash == hash && e->length == length && !memcmp(e->word, word, length)) return e->id;
    }
    return unknown;
}

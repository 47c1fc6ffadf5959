/* A vocabulary: which id each word has. */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

typedef struct Words Words;

/* Read a vocabulary from two attributes of ONNX's LabelEncoder, `keys_strings` and `values_int64s`,
   as a file has them (protobuf's AttributeProto). The word '' is padding and left out. NULL where
   they are no such attributes, an id has not 31 bits, or there is no memory. Free with `free_words`. */
Words *read_vocabulary(const uint8_t *keys, size_t keys_size, const uint8_t *values, size_t values_size);

void free_words(Words *words);

/* The hash of a word is made letter by letter, while the word is being read. */
enum { HASH_START = 0x811c9dc5 };
static inline uint32_t hash_letter(uint32_t hash, uint8_t letter) { return (hash ^ letter) * 0x01000193u; } /* FNV-1a */

/* The id of a word; `unknown` where it has none. */
int64_t find_id(const Words *words, const uint8_t *word, size_t length, uint32_t hash, int64_t unknown);

#endif

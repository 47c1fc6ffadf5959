/* Text as a model file of lstm-edge reads it on every platform; for C and C++. */
#ifndef LSTM_EDGE_TEXT_H
#define LSTM_EDGE_TEXT_H

#include <stddef.h>
#include <string.h>

/* Length of the UTF-8 character at `at`, of which `left` bytes are there; 0 where it is none. */
static inline size_t lstm_edge_character(const unsigned char *at, size_t left) {
  size_t length = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;
  if (length > left) return 0;
  for (size_t n = 1; n < length; n++)
    if ((at[n] & 0xC0) != 0x80) return 0;
  return length;
}

/* Whether platforms read this character differently: NUL ends a string in C and JavaScript, a lone
   surrogate is no character, and U+0130 and U+212A are lowered to ASCII letters by WebAssembly alone. */
static inline int lstm_edge_unportable(const unsigned char *at, size_t length) {
  return (length == 1 && at[0] == 0) || (length == 2 && !memcmp(at, "\xC4\xB0", 2)) ||
         (length == 3 && !memcmp(at, "\xE2\x84\xAA", 3)) || (length == 3 && at[0] == 0xED && at[1] >= 0xA0);
}

/* Write `text`, `size` bytes of UTF-8, to `clean` with U+FFFD for each character that platforms read
   differently and for each byte that is not UTF-8. Python and JavaScript replace the same characters.
   `clean` has room for 3 * size + 1 bytes, and ends with NUL. */
static inline void lstm_edge_replace_unportable(const char *text, size_t size, char *clean) {
  const unsigned char *at = (const unsigned char *)text;
  for (size_t length; size > 0; at += length, size -= length) {
    size_t valid = lstm_edge_character(at, size);
    length = valid ? valid : 1;
    if (!valid || lstm_edge_unportable(at, length)) {
      memcpy(clean, "\xEF\xBF\xBD", 3);
      clean += 3;
    } else {
      memcpy(clean, at, length);
      clean += length;
    }
  }
  *clean = 0;
}

#endif
